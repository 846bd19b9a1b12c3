/** Both directions against the reference implementation, for every number type, mode and delta that it has. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython, whyNoOfficialPcodec } from '../testing/official-pcodec.js';
import { correlatedValues } from '../testing/tensors.js';
import {
  pcodecCompress,
  pcodecCompressPlanes,
  pcodecDecompress,
  type PcodecDelta,
  type PcodecMode,
  type PcodecNumberType,
} from './pcodec.js';

const NUMPY: Readonly<Record<PcodecNumberType, string>> = {
  u8: 'uint8',
  i8: 'int8',
  u16: 'uint16',
  i16: 'int16',
  f16: 'float16',
  u32: 'uint32',
  i32: 'int32',
  f32: 'float32',
  u64: 'uint64',
  i64: 'int64',
  f64: 'float64',
};
const DELTAS: readonly PcodecDelta[] = ['auto', 'none', 'lookback', 'consecutive:2', 'conv1:4'];
const modesOf = (numberType: PcodecNumberType): readonly PcodecMode[] =>
  numberType.startsWith('f')
    ? ['auto', 'classic', 'dict', 'float-quant:4', 'float-mult:0.5']
    : ['auto', 'classic', 'dict', 'int-mult:4'];

const WRITE = `
import sys, numpy as np
from pcodec import standalone, ChunkConfig, ModeSpec, DeltaSpec, PagingSpec
folder = sys.argv[1]
rng = np.random.default_rng(7)
base = np.cumsum(rng.standard_normal(5000)) * 8
modes = {"auto": ModeSpec.auto(), "classic": ModeSpec.classic(), "dict": ModeSpec.try_dict()}
deltas = {"auto": DeltaSpec.auto(), "none": DeltaSpec.no_op(), "consecutive": DeltaSpec.try_consecutive(2), "lookback": DeltaSpec.try_lookback(), "conv1": DeltaSpec.try_conv1(4)}
for name in ["uint8", "int8", "uint16", "int16", "float16", "uint32", "int32", "float32", "uint64", "int64", "float64"]:
    numbers = (np.round(base * 2) / 2).astype(name) if name.startswith("f") else (base.astype(np.int64) * 4).astype(name)
    own = {"quant": ModeSpec.try_float_quant(4), "mult": ModeSpec.try_float_mult(0.5)} if name.startswith("f") else {"mult": ModeSpec.try_int_mult(4)}
    for mode, mode_spec in {**modes, **own}.items():
        for delta, delta_spec in deltas.items():
            if delta == "conv1" and name.endswith("64"):
                continue
            config = ChunkConfig(compression_level=8, mode_spec=mode_spec, delta_spec=delta_spec, paging_spec=PagingSpec.equal_pages_up_to(3000), enable_8_bit=True)
            open(f"{folder}/{name}.{mode}.{delta}.pco", "wb").write(standalone.simple_compress(numbers, config))
    open(f"{folder}/{name}.raw", "wb").write(numbers.tobytes())
`;

const READ = `
import sys, json, hashlib
from pathlib import Path
from pcodec import standalone
print(json.dumps({p.name: [str(a.dtype), hashlib.sha256(a.tobytes()).hexdigest()] for p in Path(sys.argv[1]).glob("*.ours") for a in [standalone.simple_decompress(p.read_bytes())]}))
`;

const missing = whyNoOfficialPcodec();

describe.skipIf(missing !== undefined)(`official pcodec${missing === undefined ? '' : ` (${missing})`}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'latentbox-pcodec-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes files that we read: every number type, mode and delta', () => {
    runPython(WRITE, folder);
    const files = readdirSync(folder).filter((name) => name.endsWith('.pco'));
    expect(files.length).toBeGreaterThan(200);
    const differing = files.filter((name) => {
      const numpyName = name.slice(0, name.indexOf('.'));
      const { numberType, data } = pcodecDecompress(readFileSync(join(folder, name)), 5000);
      return NUMPY[numberType] !== numpyName || !readFileSync(join(folder, `${numpyName}.raw`)).equals(data);
    });
    expect(differing).toEqual([]);
  }, 120_000);

  it('reads files that we write: every number type, mode and delta', async () => {
    const { createHash } = await import('node:crypto');
    const expected: Record<string, readonly [string, string]> = {};
    const values = Buffer.from(correlatedValues(6000, 0.95).buffer);
    const add = (name: string, numberType: PcodecNumberType, data: Uint8Array, file: Uint8Array) => {
      writeFileSync(join(folder, `${name}.ours`), file);
      expected[`${name}.ours`] = [NUMPY[numberType], createHash('sha256').update(data).digest('hex')];
    };
    for (const numberType of Object.keys(NUMPY) as PcodecNumberType[]) {
      for (const mode of modesOf(numberType)) {
        for (const delta of DELTAS) {
          if (delta.startsWith('conv1') && numberType.endsWith('64')) continue;
          add(
            `${numberType}.${mode}.${delta}`,
            numberType,
            values,
            pcodecCompress(values, numberType, { mode, delta, chunk: 2500 }),
          );
        }
      }
      add(`${numberType}.empty`, numberType, new Uint8Array(0), pcodecCompress(new Uint8Array(0), numberType));
      const one = values.subarray(0, 8);
      add(`${numberType}.few`, numberType, one, pcodecCompress(one, numberType));
    }
    for (const numberType of ['u16', 'f16', 'f32'] as const) {
      add(`${numberType}.planes`, numberType, values, pcodecCompressPlanes(values, numberType, 1000));
    }
    expect(JSON.parse(runPython(READ, folder))).toEqual(expected);
  }, 120_000);
});
