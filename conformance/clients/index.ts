/** Every client, once: a column of docs/s3-compatibility.md each. */
import { awsCli } from './aws-cli.js';
import { awsSdkGo } from './aws-sdk-go.js';
import { awsSdkJs } from './aws-sdk-js.js';
import { boto3 } from './boto3.js';
import type { Client } from './client.js';
import { mc } from './mc.js';
import { rclone } from './rclone.js';
import { s3cmd } from './s3cmd.js';

export const CLIENTS: readonly Client[] = [awsCli, boto3, awsSdkJs, awsSdkGo, rclone, s3cmd, mc];
