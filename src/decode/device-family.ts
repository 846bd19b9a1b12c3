/** The kind of hardware that a decoder's rounding depends on, as one line. */
import { readdir, readFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import type { LocalProvider } from './inference/protocol.js';

/** Instruction sets that the CPU kernels are chosen by, widest first: each sums in another order. */
const X64_LEVELS = ['amx_tile', 'avx512_vnni', 'avx512f', 'avx_vnni', 'avx2', 'avx'];
const ARM64_LEVELS = ['sve2', 'sve', 'i8mm', 'bf16', 'asimddp', 'asimd'];

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

async function cpuFamily(): Promise<string> {
  const info = await textOf('/proc/cpuinfo');
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1]?.trim().split(/\s+/) ?? []);
  const present = [...X64_LEVELS, ...ARM64_LEVELS].filter((level) => flags.has(level));
  const kernels = present.length > 0 ? present.join('+') : (cpus()[0]?.model ?? 'unknown');
  return `${platform()}-${arch()} ${kernels}`;
}

/** NVIDIA's driver names its cards in /proc; other drivers give at least their PCI ids in /sys. */
async function gpuFamily(deviceId: number): Promise<string> {
  const nvidia = await listOrNothing('/proc/driver/nvidia/gpus');
  const card = nvidia[deviceId];
  if (card !== undefined) {
    const model = /^Model:\s*(.+)$/m.exec(await textOf(`/proc/driver/nvidia/gpus/${card}/information`))?.[1];
    const driver = /Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(await textOf('/proc/driver/nvidia/version'))?.[1];
    if (model !== undefined) return `${model} driver ${driver ?? 'unknown'}`;
  }
  const cards = (await listOrNothing('/sys/class/drm')).filter((name) => /^card\d+$/.test(name));
  const drm = cards[deviceId];
  if (drm === undefined) return `${platform()}-${arch()} unnamed gpu`;
  const ids = await Promise.all(['vendor', 'device'].map((file) => textOf(`/sys/class/drm/${drm}/device/${file}`)));
  return `pci ${ids.map((value) => value.trim()).join(':')}`;
}

async function listOrNothing(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch {
    return [];
  }
}

/** Machines with the same family, provider and runtime version are expected to give the same pixels. */
export async function deviceFamily(provider: LocalProvider, deviceId: number): Promise<string> {
  return provider === 'cpu' ? cpuFamily() : gpuFamily(deviceId);
}
