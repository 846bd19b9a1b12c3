/** The words that the scenario is written in; each client says them in its own way. */

/** How a client reaches the gateway. */
export interface Access {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** PEM file of the authority that signed the endpoint's certificate; absent for plain HTTP. */
  readonly certificateAuthority?: string;
  /** The client's home: configuration and caches go there, and nowhere else. */
  readonly home: string;
}

export interface ListedObject {
  readonly key: string;
  readonly size: number;
}

export interface UploadOptions {
  /** The object will not read back as the file: a latent comes out as a PNG, of another size. */
  readonly becomesPng?: true;
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectDescription {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the scenario may ask. A method that a client has no command for is absent, and its steps with it. */
export interface ClientSession {
  readonly makeBucket: (bucket: string) => Promise<unknown>;
  /** The bucket must be empty. */
  readonly removeBucket: (bucket: string) => Promise<unknown>;
  readonly buckets: () => Promise<readonly string[]>;
  /** As a user would: files over the client's threshold go up in parts. */
  readonly upload: (file: string, bucket: string, key: string, options?: UploadOptions) => Promise<unknown>;
  /** @throws Error where the object is not there */
  readonly download: (bucket: string, key: string, file: string) => Promise<unknown>;
  /** Every object under `prefix`, through all pages. */
  readonly list: (bucket: string, prefix: string) => Promise<readonly ListedObject[]>;
  readonly copy: (bucket: string, from: string, to: string) => Promise<unknown>;
  readonly remove: (bucket: string, key: string) => Promise<unknown>;
  /** Every object under `prefix`, a folder's name with its slash. */
  readonly removeAll: (bucket: string, prefix: string) => Promise<unknown>;
  readonly move?: (bucket: string, from: string, to: string) => Promise<unknown>;
  /** `length` bytes from `start`. */
  readonly readRange?: (bucket: string, key: string, start: number, length: number) => Promise<Uint8Array>;
  readonly contentTypeAndMetadata?: (bucket: string, key: string) => Promise<ObjectDescription>;
  readonly presignGet?: (bucket: string, key: string) => Promise<string>;
  readonly presignPut?: (bucket: string, key: string) => Promise<string>;
  /** Makes what lies under `prefix` equal to the folder. */
  readonly syncUp?: (folder: string, bucket: string, prefix: string) => Promise<unknown>;
  /** Makes the folder equal to what lies under `prefix`. */
  readonly syncDown?: (bucket: string, prefix: string, folder: string) => Promise<unknown>;
  readonly close?: () => Promise<unknown>;
}

/** A step of one client alone, which may use all that its session has. */
export interface OwnStep<Session> {
  /** Continues "the client …". */
  readonly title: string;
  run(session: Session, scene: OwnScene): Promise<unknown>;
}

export interface OwnScene {
  readonly bucket: string;
  /** A fresh folder. */
  readonly scratch: string;
}

export interface Client<Session extends ClientSession = ClientSession> {
  /** Names its credential and its buckets: lower case, no spaces. */
  readonly name: string;
  readonly title: string;
  /** Where the client comes from. */
  readonly source: string;
  /** @returns what is missing to run it here, or undefined */
  missing(): Promise<string | undefined>;
  open(access: Access): Promise<Session>;
  /** What no other client does. */
  readonly ownSteps: readonly OwnStep<Session>[];
  /** Steps of the scenario (by title) that the client cannot do with any S3 server, with the reason. */
  readonly cannotDo?: Readonly<Record<string, string>>;
  /** What a user must know of this client and latents; one sentence of the page. */
  readonly note?: string;
}
