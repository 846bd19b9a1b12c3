/** Mean latency by cache size, beside the published table. */
import { FIXED_ALPHAS, Laboratory, best, ms, percent, printTable, type Experiment } from './laboratory.js';

/** Published means in milliseconds; of the single formats only the ends are. */
const PUBLISHED = [
  { share: 0.001, imageOnly: 103.1, latentOnly: 97.5, adaptive: 90.1 },
  { share: 0.005, adaptive: 62.2 },
  { share: 0.01, adaptive: 50.7 },
  { share: 0.02, adaptive: 40.1 },
  { share: 0.05, adaptive: 28.5 },
  { share: 0.1, imageOnly: 23.2, latentOnly: 47.0, adaptive: 21.9 },
];

export const cacheSizes: Experiment = async ({ requests, seed }, print) => {
  const laboratory = await Laboratory.over({ requests, seed });
  print(`Mean ms by cache size; ${laboratory.trace.name}. In brackets: published.`);
  const rows: string[][] = [];
  for (const published of PUBLISHED) {
    const { share } = published;
    const [imageOnly, latentOnly, adaptivePublished, adaptive, ...fixed] = await laboratory.run([
      laboratory.simulation('published', share, 1),
      laboratory.simulation('published', share, 0),
      laboratory.simulation('published', share, 'auto'),
      laboratory.simulation('adaptive', share, 'auto'),
      ...FIXED_ALPHAS.map((alpha) => laboratory.simulation('published', share, alpha)),
    ]);
    if (!imageOnly || !latentOnly || !adaptivePublished || !adaptive) throw new Error('a simulation gave no result');
    const single = Math.min(imageOnly.row.meanMs, latentOnly.row.meanMs);
    const hindsight = best(fixed).row;
    const ours = adaptive.row.meanMs;
    const gain = (other: number) => percent(1 - ours / other);
    rows.push([
      percent(share),
      beside(imageOnly.row.meanMs, published.imageOnly),
      beside(latentOnly.row.meanMs, published.latentOnly),
      beside(adaptivePublished.row.meanMs, published.adaptive),
      `${ms(hindsight.meanMs)} (α ${hindsight.alpha})`,
      ms(ours),
      gain(single),
      gain(adaptivePublished.row.meanMs),
      gain(hindsight.meanMs),
    ]);
  }
  printTable(
    print,
    [
      'cache',
      'image-only',
      'latent-only',
      'adaptive-published',
      'best static',
      'adaptive',
      'less than better single',
      'than adaptive-published',
      'than best static',
    ],
    rows,
  );
};

function beside(value: number, published: number | undefined): string {
  return published === undefined ? ms(value) : `${ms(value)} [${published}]`;
}
