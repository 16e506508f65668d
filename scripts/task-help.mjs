// What `npm run TASK -- --help` says. Nothing is installed, built or run for it.

/** Task -> what it does, and what it takes as [option, meaning]. */
export const HELP = {
  start: [
    'Runs the support-desk example: an agent, its attacks, and the trail that tells of them.',
    [['--json', 'the result as JSON']],
  ],
  fleet: [
    'Runs two brokers, three API replicas and one Redis, kills some of them, and counts. Needs redis-server.',
    [['--json', 'the result as JSON']],
  ],
  test: [
    'Runs the tests from source. TEST_TARGET=dist: against the built packages. CI=true: fails where a server is missing.',
    [
      ['PATH…', 'some of them'],
      ['-t NAME', 'those of a name; what vitest takes goes to it'],
    ],
  ],
  build: ['Builds every package.', []],
  lint: ['Checks format and lint.', [['PATH…', 'lint some files; what oxlint takes goes to it']]],
  format: ['Formats every file.', [['PATH…', 'some files; what oxfmt takes goes to it']]],
  check: [
    'Runs everything that must hold before a change is taken.',
    [
      ['--only=STEP', 'steps whose name has this in it'],
      ['--skip-tests', 'every step but the tests'],
    ],
  ],
  bench: [
    'Prints the table of speeds, with peers beside us.',
    [
      ['--only ROW', 'rows whose id begins so; several by commas'],
      ['--quick', 'rougher, in about 2 minutes'],
      ['--profile ROW', 'where the time of a row goes'],
      ['--json', 'the result as JSON'],
    ],
  ],
  fuzz: [
    'Reads mutated input beside an independent reader, for a minute.',
    [
      ['--minutes N', 'for longer'],
      ['--cases N', 'so many cases'],
      ['--only TARGET', 'some targets'],
      ['--seed N', 'repeats a run'],
      ['--list', 'prints what we refuse on purpose'],
      ['--json', 'the result as JSON'],
    ],
  ],
  soak: [
    'Runs real processes, breaks them at random, and counts afterwards.',
    [
      ['--minutes N', 'default 10'],
      ['--ledger KIND', 'redis, postgres, sqlite or broker'],
      ['--feed', 'replicas count for themselves and follow the revocation feed'],
      ['--replicas N, --agents N, --workers N', 'how many of them; default 3, 2 and 4'],
      ['--seed N', 'repeats the order of the faults'],
      ['--keep', 'leaves what was written'],
      ['--json', 'the result as JSON'],
    ],
  ],
  conformance: [
    'Runs the scenarios of the specification on every door, and prints which requirement held.',
    [['--json', 'the result as JSON']],
  ],
  mutation: [
    'Changes the checks and says which changes no test noticed.',
    [['--only=PART', 'some parts; several by commas']],
  ],
}

/** The text for one task, as one would type it. */
export function helpOf(name) {
  const [what, options] = HELP[name]
  const typed = name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`
  const width = Math.max(0, ...options.map(([option]) => option.length))
  const lines = options.map(([option, meaning]) => `  ${option.padEnd(width)}  ${meaning}`)
  return [
    `${typed}${options.length === 0 ? '' : ' -- [options]'}`,
    '',
    what,
    ...(lines.length === 0 ? [] : ['', ...lines]),
    '',
  ].join('\n')
}
