// The one place that knows which library the controls come from.
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeProgressRing());

/** A push button with a text, or with an icon and the text as its name. */
export function makeButton(text: string, onPress: () => void, icon?: Element): HTMLElement {
  const button = document.createElement('vscode-button');
  if (icon) {
    button.setAttribute('appearance', 'icon');
    button.append(icon);
    button.setAttribute('aria-label', text);
    button.title = text;
  } else {
    button.textContent = text;
  }
  button.addEventListener('click', onPress);
  return button;
}

/** A two-valued button: pressed or not. */
export function setPressed(button: HTMLElement, pressed: boolean): void {
  button.setAttribute('aria-pressed', String(pressed));
}

export interface Checkbox {
  readonly element: HTMLElement;
  checked: boolean;
  disabled: boolean;
}

type CheckElement = HTMLElement & { checked: boolean; disabled: boolean };

export function makeCheckbox(text: string, onChange: (checked: boolean) => void): Checkbox {
  const element = document.createElement('vscode-checkbox') as CheckElement;
  element.textContent = text;
  element.addEventListener('change', () => onChange(element.checked));
  return {
    element,
    get checked() {
      return element.checked;
    },
    set checked(value) {
      if (element.checked !== value) element.checked = value;
    },
    get disabled() {
      return element.disabled;
    },
    set disabled(value) {
      if (element.disabled !== value) element.disabled = value;
    },
  };
}

/** A ring that turns while something goes on. */
export function makeProgressRing(): HTMLElement {
  return document.createElement('vscode-progress-ring');
}
