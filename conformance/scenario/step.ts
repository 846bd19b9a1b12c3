/** One thing that a user does with a client, and what must come of it. */
import type { Client, ClientSession } from '../clients/client.js';
import type { LoggedRequest } from '../support/access-log.js';
import type { StoreName } from '../support/observations.js';
import type { Fixtures } from './fixtures.js';

export interface Scene {
  readonly client: Client;
  readonly session: ClientSession;
  readonly store: StoreName;
  /** The bucket of this client on this way to the gateway. */
  readonly bucket: string;
  readonly fixtures: Fixtures;
  /** The bytes of an object, downloaded once: later steps compare with what the first one saw. */
  readonly known: (key: string) => Promise<Buffer>;
  /** A fresh folder. */
  readonly scratch: string;
  /** PEM file that signed the endpoint's certificate. */
  readonly certificateAuthority: string | undefined;
  /** The client's requests that the gateway answered while `action` ran. */
  readonly requests: (action: () => Promise<unknown>) => Promise<readonly LoggedRequest[]>;
}

export interface Step {
  /** Continues "the client …"; a row of docs/s3-compatibility.md. */
  readonly title: string;
  /** Absent: every client can. */
  readonly needs?: readonly (keyof ClientSession)[];
  /** Where just one store can hold what the step needs. */
  readonly onlyOn?: StoreName;
  readonly run: (scene: Scene) => Promise<void>;
}
