/** docs/s3-compatibility.md from what a run observed: operations and steps × clients × stores. Pure: no order, no time. */
import type { Client } from '../clients/client.js';
import type { Observation, RouteName, StoreName } from './observations.js';

const PASSES: readonly { readonly store: StoreName; readonly route: RouteName; readonly letter: string }[] = [
  { store: 'filesystem', route: 'direct', letter: 'F' },
  { store: 's3', route: 'direct', letter: 'S' },
  { store: 'filesystem', route: 'nginx', letter: 'N' },
];

export interface PageInput {
  readonly clients: readonly Pick<Client, 'name' | 'title' | 'source' | 'note' | 'cannotDo'>[];
  /** Rows of the first table, in order. */
  readonly operations: readonly string[];
  /** Rows of the second table that many clients share, in order; steps of one client follow. */
  readonly steps: readonly string[];
  readonly observations: readonly Observation[];
}

export function compatibilityPage({ clients, operations, steps, observations }: PageInput): string {
  const called = new Cells(
    observations.flatMap((seen) =>
      seen.kind === 'operation' ? [{ ...seen, row: seen.operation, text: seen.answer }] : [],
    ),
  );
  const passed = new Cells(
    observations.flatMap((seen) => (seen.kind === 'step' ? [{ ...seen, row: seen.step, text: 'ok' }] : [])),
  );
  const shared = new Set(steps);
  const own = clients.map((client) => ({
    client,
    rows: passed.rowsOf(client.name).filter((row) => !shared.has(row)),
  }));
  return `# S3 compatibility

Real clients drive a real gateway, over each store, and what follows is what they did and what the gateway's access log says they asked for. \`npm run conformance\` writes this page and fails where it no longer holds; nothing here is written by hand. [How to run it and add a client](conformance.md).

**F**: on the filesystem store. **S**: on the S3 store, with [versitygw](https://github.com/versity/versitygw) behind it. **N**: on the filesystem store, through an nginx that terminates TLS and rewrites \`Host\` (\`s3.externalUrls\`). An empty cell: the client did not ask for it.

## Clients

| client | from | to know |
| --- | --- | --- |
${clients.map((client) => `| ${client.title} | ${client.source} | ${remarks(client)} |`).join('\n')}

## Operations

A letter: the client called the operation and it was answered. A code instead: every answer was that error, as S3 would give it.

${table('operation', clients, operations, (row, client) => called.cell(row, client))}

## What clients do

${table('a client …', clients, steps, (row, client) => passed.cell(row, client))}

## What one client alone does

| client | does | on |
| --- | --- | --- |
${own.flatMap(({ client, rows }) => rows.map((row) => `| ${client.title} | ${cellText(row)} | ${passed.cell(row, client.name)} |`)).join('\n')}
`;
}

interface Cell {
  readonly client: string;
  readonly store: StoreName;
  readonly route: RouteName;
  readonly row: string;
  readonly text: string;
}

class Cells {
  constructor(private readonly cells: readonly Cell[]) {}

  /** The passes in which it was answered; where it never was, the error. */
  cell(row: string, client: string): string {
    const found = this.cells.filter((cell) => cell.row === row && cell.client === client);
    const answered = PASSES.filter(({ store, route }) =>
      found.some((cell) => cell.store === store && cell.route === route && cell.text === 'ok'),
    );
    if (answered.length > 0) return answered.map(({ letter }) => letter).join(' ');
    return [...new Set(found.map(({ text }) => `\`${text}\``))].sort().join(' ');
  }

  rowsOf(client: string): string[] {
    return [...new Set(this.cells.filter((cell) => cell.client === client).map(({ row }) => row))].sort();
  }
}

function table(
  corner: string,
  clients: PageInput['clients'],
  rows: readonly string[],
  cell: (row: string, client: string) => string,
): string {
  return [
    `| ${[corner, ...clients.map(({ title }) => title)].join(' | ')} |`,
    `| ${['---', ...clients.map(() => '---')].join(' | ')} |`,
    ...rows.map((row) => `| ${[cellText(row), ...clients.map(({ name }) => cell(row, name))].join(' | ')} |`),
  ].join('\n');
}

function remarks({ note, cannotDo = {} }: PageInput['clients'][number]): string {
  return [
    ...(note === undefined ? [] : [note]),
    ...Object.entries(cannotDo).map(([step, why]) => `not “${cellText(step)}”: ${why}`),
  ].join('; ');
}

function cellText(text: string): string {
  return text.replaceAll('|', '\\|');
}
