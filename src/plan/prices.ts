/** What things cost: list prices of us-east-1 in 2026, each of which a plan may override. */

/** Dollars, unless the name says otherwise. */
export interface Prices {
  /** S3 Standard, a GB and month. */
  readonly standardGbMonth: number;
  /** S3 Glacier Instant Retrieval, a GB and month. */
  readonly glacierGbMonth: number;
  /** Reading from Glacier Instant Retrieval, a GB. */
  readonly glacierRetrievalGb: number;
  /** A thousand GETs of S3 Standard. */
  readonly getThousand: number;
  /** A thousand PUTs of S3 Standard. */
  readonly putThousand: number;
  /** A thousand GETs of Glacier Instant Retrieval. */
  readonly glacierGetThousand: number;
  /** A thousand objects that move to Glacier Instant Retrieval by a lifecycle rule. */
  readonly glacierTransitionThousand: number;
  /** An hour of the GPU that decodes. */
  readonly gpuHour: number;
  /** Bytes in the GB of a bill: S3 counts 2^30. */
  readonly gbBytes: number;
  /** Bytes that an object in Glacier Instant Retrieval is billed as at least. */
  readonly glacierMinimumBytes: number;
  /** Bytes that an object in S3 Standard is billed as at least. */
  readonly standardMinimumBytes: number;
  /** Share that the GPU's price falls by each year. */
  readonly gpuDecline: number;
  /** Share that the prices of storage and requests fall by each year. */
  readonly storageDecline: number;
}

/** @see https://aws.amazon.com/s3/pricing/ */
export const LIST_PRICES: Prices = {
  standardGbMonth: 0.023,
  glacierGbMonth: 0.004,
  glacierRetrievalGb: 0.03,
  getThousand: 0.0004,
  putThousand: 0.005,
  glacierGetThousand: 0.01,
  glacierTransitionThousand: 0.02,
  gpuHour: 0.69,
  gbBytes: 2 ** 30,
  glacierMinimumBytes: 128 * 1024,
  standardMinimumBytes: 0,
  gpuDecline: 0,
  storageDecline: 0,
};

const SHARES: readonly string[] = ['gpuDecline', 'storageDecline'] satisfies (keyof Prices)[];

/**
 * `NAME=VALUE` settings over the list prices; later ones win.
 *
 * @throws RangeError that names the price and what is expected
 */
export function overridePrices(settings: readonly string[]): Prices {
  const prices: Record<keyof Prices, number> = { ...LIST_PRICES };
  for (const setting of settings) {
    const [name = '', text = ''] = setting.split('=', 2);
    const value = Number(text);
    if (!isPrice(name)) throw new RangeError(`"${name}": expected one of ${Object.keys(LIST_PRICES).join(', ')}`);
    const most = SHARES.includes(name) ? 1 : Infinity;
    const valid = text.trim() !== '' && Number.isFinite(value) && value >= 0 && value < most;
    if (!valid || (name === 'gbBytes' && value === 0))
      throw new RangeError(`${name}=${text}: expected a number of at least 0${most === 1 ? ', below 1' : ''}`);
    prices[name] = value;
  }
  return prices;
}

function isPrice(name: string): name is keyof Prices {
  return Object.hasOwn(LIST_PRICES, name);
}
