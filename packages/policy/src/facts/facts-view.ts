/** The facts of one rule. Asking for one it does not need throws, so that a slip of the pen is never a quiet `undefined`. */
export function factsView(values: Readonly<Record<string, unknown>>): object {
  return new Proxy(values, {
    get(target, name) {
      if (typeof name === 'string' && !Object.hasOwn(target, name))
        throw new TypeError('a rule asked for a fact it does not need')
      return Reflect.get(target, name) as unknown
    },
  })
}

export const NO_FACTS = factsView(Object.freeze({}))
