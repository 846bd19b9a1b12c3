/** Every client goes through the scenario once more, through an nginx that terminates TLS and rewrites Host. */
import { describeClients } from './scenario/describe-clients.js';

await describeClients('filesystem', 'nginx');
