/** Import directions of docs/architecture.md, as rules: a violation fails `npm run lint`. */
const ours = '^(s3-api|codec|src|conformance|bench)/';
const pure = ['^src/cache/', '^src/routing/'];
const notTests = { pathNot: '(\\.test\\.ts$|/testing/)' };

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'codec-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^codec/' },
      to: { path: ours, pathNot: '^codec/' },
    },
    {
      name: 's3-api-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^s3-api/' },
      to: { path: ours, pathNot: '^s3-api/' },
    },
    {
      name: 'cache-and-routing-are-pure',
      severity: 'error',
      from: { path: pure, ...notTests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'cache-and-routing-import-only-themselves',
      severity: 'error',
      from: { path: pure, ...notTests },
      to: { path: ours, pathNot: pure },
    },
    {
      name: 'nothing-imports-the-command-line',
      severity: 'error',
      from: { pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'shipped-code-imports-no-bench',
      severity: 'error',
      from: { path: '^(s3-api|codec|src)/' },
      to: { path: '^(bench|conformance)/' },
    },
    {
      name: 'only-known-packages',
      severity: 'error',
      from: { path: '^(s3-api|codec|src)/', ...notTests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)target/|\\.wasm$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
