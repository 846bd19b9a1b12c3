/** Credential scopes and timestamps of SigV4, with S3's words for what is wrong with them. */
import { S3Error } from '../errors.js';

export interface CredentialScope {
  readonly accessKeyId: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** `date/region/service/aws4_request`. */
  readonly text: string;
}

/** Makes the error of the place where the scope stood: Authorization header, query, or POST form. */
export type ScopeFault = (detail: string, fields?: Readonly<Record<string, string>>) => S3Error;

/** Largest difference between the client's clock and ours: 15 minutes, as S3 has it. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** Reads `AKID/date/region/service/aws4_request` and checks all that does not depend on the secret. */
export function parseScope(credential: string, timestamp: string, region: string, fault: ScopeFault): CredentialScope {
  const parts = credential.split('/');
  const [date, scopeRegion, service, terminal] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  if (date === undefined || scopeRegion === undefined || service === undefined || terminal === undefined)
    throw fault('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  if (accessKeyId === '') throw fault('a non-empty Access Key (AKID) must be provided in the credential.');
  if (!/^\d{8}$/.test(date))
    throw fault(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`);
  if (terminal !== 'aws4_request') throw fault(`incorrect terminal "${terminal}". This endpoint uses "aws4_request".`);
  if (service !== 's3') throw fault(`incorrect service "${service}". This endpoint belongs to "s3".`);
  if (scopeRegion !== region)
    throw fault(`the region '${scopeRegion}' is wrong; expecting '${region}'`, { Region: region });
  if (date !== timestamp.slice(0, 8))
    throw fault(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    );
  return { accessKeyId, date, region, service, text: `${date}/${region}/${service}/${terminal}` };
}

/** Reads `YYYYMMDDTHHMMSSZ`; undefined for anything else, the 30th of February included. */
export function parseTimestamp(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return formatTimestamp(date) === text ? date : undefined;
}

export function formatTimestamp(date: Date): string {
  return isoSeconds(date).replace(/[-:]/g, '');
}

/** `YYYY-MM-DDTHH:MM:SSZ`, the form of S3's error fields. */
export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Throws RequestTimeTooSkewed where the clocks differ by more than 15 minutes. */
export function checkSkew(timestamp: string, signedAt: Date, now: Date): void {
  if (Math.abs(now.getTime() - signedAt.getTime()) <= MAX_SKEW_MS) return;
  throw new S3Error(
    'RequestTimeTooSkewed',
    "The difference between the request time and the server's time is too large.",
    {
      fields: {
        RequestTime: timestamp,
        ServerTime: isoSeconds(now),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      },
    },
  );
}
