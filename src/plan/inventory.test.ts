import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInventory, takeInventory, type InventoryObject } from './inventory.js';

const NOW = new Date('2026-11-24T00:00:00Z');
const DAY_MS = 86_400_000;

async function* listed(objects: readonly InventoryObject[]): AsyncGenerator<InventoryObject> {
  yield* objects;
}

describe('an inventory', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latentbox-plan-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (content: string): Promise<InventoryObject[]> => {
    const file = join(folder, 'inventory.csv');
    await writeFile(file, content);
    const objects: InventoryObject[] = [];
    for await (const object of readInventory(file)) objects.push(object);
    return objects;
  };

  it('reads an S3 Inventory, which has no header, and a CSV with one', async () => {
    const bare = await read(
      '"images","a%20b.png","1000","2026-10-01T00:00:00.000Z"\n"images","c.png","2000","2026-11-01T00:00:00.000Z"\n',
    );
    const named = await read(
      'size,last_modified,key\n1000,2026-10-01T00:00:00Z,a%20b.png\n2000,2026-11-01T00:00:00Z,c.png\n',
    );
    expect(named).toEqual(bare);
    expect(bare[0]).toEqual({ key: 'a%20b.png', size: 1000, lastModified: new Date('2026-10-01T00:00:00Z') });
  });

  it('names the line and the field of a fault', async () => {
    await expect(read('key,size\na.png,1\nb.png,many\n')).rejects.toMatchObject({ line: 3, field: 'Size' });
    await expect(read('images,a.png\n')).rejects.toMatchObject({ line: 1, field: 'Key' });
  });

  it('sorts out what is no PNG, and tells ages, births and sizes', async () => {
    const aged = (key: string, size: number, days: number) => ({
      key,
      size,
      lastModified: new Date(NOW.getTime() - days * DAY_MS),
    });
    const objects = [aged('a.png', 1000, 1), aged('b.PNG', 1000, 40), aged('c.png', 4000, 400), aged('d.json', 7, 1)];
    const inventory = await takeInventory(listed(objects), { latentShare: 0.25, now: NOW });
    expect(inventory).toMatchObject({ images: 3, imageBytes: 6000, others: 1, otherBytes: 7, birthsPerMonth: 2 / 12 });
    expect(inventory.ages).toHaveLength(14);
    expect([inventory.ages[0], inventory.ages[1], inventory.ages[13]]).toEqual([1, 1, 1]);
    expect(inventory.sizes).toHaveLength(2);
    expect(inventory.sizes[0]).toEqual({ share: 2 / 3, imageBytes: 1000, latentBytes: 250 });
  });

  it('knows no births where no age is known', async () => {
    const inventory = await takeInventory(listed([{ key: 'a.png', size: 5 }]), { latentShare: 0.2, now: NOW });
    expect(inventory.birthsPerMonth).toBeUndefined();
    expect(inventory.ages).toEqual([1]);
  });
});
