/**
 * CRC32C and CRC64NVME on hash-wasm. One WebAssembly instance per algorithm serves every hasher: a hasher keeps the
 * 8 or 12 bytes of state and loads them when another one has used the instance in between.
 */
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm';
import type { Hasher } from './hasher.js';

/** Castagnoli's polynomial, reflected (RFC 3720 appendix B.4). */
const CRC32C_POLYNOMIAL = 0x82f63b78;
/** NVM Express base specification 2.0, section 5.2.1.3.4, reflected. */
const CRC64NVME_POLYNOMIAL = '9a6c9329ac4bc9b5';

interface SharedInstance {
  readonly wasm: IHasher;
  readonly initialState: Uint8Array;
  owner: object | undefined;
  /** Saves the owner's state before another takes over. */
  evict: () => void;
}

async function share(create: Promise<IHasher>): Promise<SharedInstance> {
  const wasm = await create;
  return { wasm, initialState: wasm.init().save(), owner: undefined, evict: () => undefined };
}

const instances = {
  CRC32C: await share(createCRC32(CRC32C_POLYNOMIAL)),
  CRC64NVME: await share(createCRC64(CRC64NVME_POLYNOMIAL)),
};

export function createWasmCrc(algorithm: keyof typeof instances): Hasher {
  const shared = instances[algorithm];
  const self = {};
  let state = shared.initialState;
  const own = (): void => {
    if (shared.owner === self) return;
    shared.evict();
    shared.wasm.load(state);
    shared.owner = self;
    shared.evict = () => {
      state = shared.wasm.save();
    };
  };
  return {
    update: (bytes) => {
      own();
      shared.wasm.update(bytes);
    },
    digest: () => {
      own();
      shared.owner = undefined;
      shared.evict = () => undefined;
      return Buffer.from(shared.wasm.digest('binary'));
    },
  };
}
