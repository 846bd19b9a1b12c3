/** Every client goes through the scenario on the filesystem store. */
import { describeClients } from './scenario/describe-clients.js';

await describeClients('filesystem', 'direct');
