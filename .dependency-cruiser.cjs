/**
 * The floors of the tree, top to bottom. A room imports only from floors below its own; rooms on one floor do not know
 * each other. Each entry is one floor; a name without a dot is a folder of src, one with a dot a file.
 */
const FLOORS = [
  ['cli'],
  ['index.ts'],
  ['bench', 'modelkit'],
  ['codec'],
  ['stages'],
  ['pipeline'],
  ['vae', 'slices'],
  ['wasm', 'models', 'image', 'container'],
  ['files.ts', 'limits.ts', 'threads.ts'],
  ['errors.ts'],
];

/** Every runtime dependency and the room whose one file may import it. */
const DEPENDENCIES = {
  'cli-progress': 'cli',
  commander: 'cli',
  'd3-scale': 'bench',
  'd3-shape': 'bench',
  'jpeg-js': 'image',
  'onnxruntime-node': 'vae',
  pngjs: 'image',
  sharp: 'image',
  'smol-toml': 'models',
  zod: 'models',
};

const unplaced = Object.keys(require('./package.json').dependencies).filter(
  (name) => !(name in DEPENDENCIES),
);
if (unplaced.length > 0) {
  throw new Error(
    `expected a room for each runtime dependency, got none for ${unplaced.join(', ')}`,
  );
}

/** A package's own files or those that declare its types. @param {string} name */
const packagePath = (name) => `(^|/)node_modules/(@types/)?${name}/`;

/** @param {string} room */
const roomPath = (room) =>
  room.includes('.') ? `^src/${room.replace('.', '\\.')}$` : `^src/${room}/`;

const floorRules = FLOORS.flatMap((rooms, floor) =>
  rooms.map((room) => ({
    name: `floor-${room}`,
    comment: 'A room imports only from floors below its own, and never from a sibling.',
    severity: 'error',
    from: { path: roomPath(room) },
    to: {
      path: '^src/',
      pathNot: [room, ...FLOORS.slice(floor + 1).flat()].map(roomPath),
    },
  })),
);

const dependencyRules = Object.entries(DEPENDENCIES).flatMap(([name, room]) => [
  {
    name: `${name}-room`,
    comment: `Only src/${room} imports ${name}.`,
    severity: 'error',
    from: { pathNot: `^src/${room}/` },
    to: { path: packagePath(name) },
  },
  {
    name: `${name}-once`,
    comment:
      'A runtime dependency is imported by exactly one file, so that it can be replaced in one.',
    severity: 'error',
    from: { path: '^src/' },
    module: { path: packagePath(name), numberOfDependentsMoreThan: 1 },
  },
]);

module.exports = {
  forbidden: [
    ...floorRules,
    ...dependencyRules,
    {
      name: 'cli-as-any-user',
      comment: 'The command line imports what any user can: src/index.ts and nothing behind it.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/', pathNot: ['^src/cli/', '^src/index\\.ts$'] },
    },
    {
      name: 'bin-opens-the-door',
      comment: 'The executable starts src/cli and knows nothing else of the product.',
      severity: 'error',
      from: { path: '^bin/' },
      to: { path: '^(src|dist)/', pathNot: '^dist/cli/' },
    },
    {
      name: 'known-rooms',
      comment: 'A new room has to be given a floor.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: FLOORS.flat().map(roomPath) },
    },
    {
      name: 'src-knows-no-outside',
      comment: 'Shipped code imports neither tests nor scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(tests|scripts|benches|examples|bin|dist)/' },
    },
    {
      name: 'no-development-dependency',
      comment: 'What ships imports only what is installed with it.',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: {
        // Installed by whoever wants what it adds, and asked for by name where it is absent.
        pathNot: packagePath('sharp'),
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count: a type is knowledge too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
