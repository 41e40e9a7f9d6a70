import { connect } from '../connect.ts';
import { EventList } from './list.ts';

const { peer, start } = connect('events');
new EventList(document.getElementById('events')!, peer).start();
start();
