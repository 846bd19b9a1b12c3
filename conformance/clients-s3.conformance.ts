/** Every client goes through the scenario on the S3 store, with a real S3 server of somebody else's behind the gateway. */
import { describeClients } from './scenario/describe-clients.js';

await describeClients('s3', 'direct');
