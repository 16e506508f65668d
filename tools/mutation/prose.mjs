// Words for people are not part of a check: what stands in `detail` or in an error's message may say anything.

/** Which argument of a call is prose. */
const PROSE = {
  refuse: 1,
  malformed: 0,
  cannot: 0,
  invalid: 0,
  wrong: 0,
  HallpassError: 1,
  configurationInvalid: 0,
  unavailable: 0,
  requireSecureUrl: 1,
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'prose',
    value: {
      shouldIgnore({ node, parent }) {
        if (node.type !== 'StringLiteral' && node.type !== 'TemplateLiteral') return undefined
        if (parent?.type !== 'CallExpression' && parent?.type !== 'NewExpression') return undefined
        const place = PROSE[parent.callee.name]
        return place !== undefined && parent.arguments[place] === node ? 'prose for people' : undefined
      },
    },
  },
]
