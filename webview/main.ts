import { App } from './app.ts';
import { connect } from './connect.ts';

const { api, peer, start } = connect('timeline');
new App(document.getElementById('timeline')!, peer, api).start();
start();
