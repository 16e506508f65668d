import { Decimal, toUnits } from '@hallpass/core'
import type { Random } from '../run/random.ts'
import { BOTH, defineTarget, difference, NEITHER, stricter } from './target.ts'
import type { Verdict } from './target.ts'

interface DecimalCase {
  readonly left: string
  readonly right: string
  readonly scale: number
}

const digits = (random: Random, most: number): string =>
  Array.from({ length: random.below(most) + 1 }, () => random.below(10)).join('')

function makeText(random: Random): string {
  if (random.oneIn(12))
    return random.pick([
      '',
      '-',
      '.',
      '1e3',
      '1E3',
      '+1',
      '0x10',
      'NaN',
      'Infinity',
      '１',
      '٣',
      ' 1',
      '1 ',
      '1_0',
      '1,5',
      '-0',
      '-0.00',
      '0b1',
      '1n',
      '9007199254740991',
      '9007199254740992',
      '90071992547409.91',
      '\u22121',
      '1\n',
    ])
  const whole = random.oneIn(8) ? digits(random, 45) : String(random.below(10 ** (1 + random.below(9))))
  const fraction = random.oneIn(2) ? `.${random.oneIn(8) ? digits(random, 24) : digits(random, 3)}` : ''
  return `${random.oneIn(5) ? '-' : ''}${random.oneIn(20) ? '0' : ''}${whole}${fraction}`
}

interface Plain {
  readonly units: bigint
  readonly scale: number
}

/** By hand: sign, digits, point, digits. */
function read(text: string): Plain | undefined {
  const body = text.startsWith('-') ? text.slice(1) : text
  const [whole = '', fraction, ...rest] = body.split('.')
  const isDigits = (part: string) => part !== '' && Array.from(part).every((c) => c >= '0' && c <= '9')
  if (rest.length > 0 || !isDigits(whole) || (fraction !== undefined && !isDigits(fraction))) return undefined
  const units = BigInt(whole + (fraction ?? ''))
  return { units: text.startsWith('-') ? -units : units, scale: fraction?.length ?? 0 }
}

const isPlain = (text: string): boolean => {
  const plain = read(text)
  const whole = text.replace(/^-/, '').split('.')[0] ?? ''
  return (
    plain !== undefined && (whole === '0' || !whole.startsWith('0')) && !(text.startsWith('-') && plain.units === 0n)
  )
}

function judgeOne(text: string): Verdict {
  const ours = Decimal.parse(text)
  const theirs = read(text)
  if (ours === undefined) {
    if (theirs === undefined) return NEITHER
    if (!isPlain(text)) return stricter('decimal-form')
    const [whole = ''] = text.replace('-', '').split('.')
    return theirs.scale > 20 || whole.length > 40
      ? stricter('decimal-size')
      : difference('decimal: refused a plain one')
  }
  if (theirs === undefined || !isPlain(text)) return difference('decimal: took what is not plain')
  if (ours.toString() !== text || ours.scale !== theirs.scale) return difference('decimal: writes another text')
  return BOTH
}

/** Both at one scale. */
function judgePair(left: string, right: string): Verdict {
  const [a, b] = [Decimal.parse(left), Decimal.parse(right)]
  const [p, q] = [read(left), read(right)]
  if (a === undefined || b === undefined || p === undefined || q === undefined) return NEITHER
  const scale = Math.max(p.scale, q.scale)
  const [x, y] = [p.units * 10n ** BigInt(scale - p.scale), q.units * 10n ** BigInt(scale - q.scale)]
  const order = x < y ? -1 : x > y ? 1 : 0
  const said = [a.lt(b), a.lte(b), a.gt(b), a.gte(b), a.eq(b)].join()
  if (a.compare(b) !== order || said !== [x < y, x <= y, x > y, x >= y, x === y].join())
    return difference('decimal: compares wrongly')
  const sum = read(a.add(b).toString())
  if (sum === undefined || sum.units !== x + y || sum.scale !== scale) return difference('decimal: adds wrongly')
  return BOTH
}

function judgeUnits(text: string, scale: number): Verdict {
  const ours = toUnits(text, scale)
  const plain = Decimal.parse(text) === undefined ? undefined : read(text)
  const factor = plain === undefined ? undefined : scaled(plain, scale)
  const fits =
    factor !== undefined && factor >= 0n && factor <= BigInt(Number.MAX_SAFE_INTEGER) && !text.startsWith('-')
  if (ours.ok !== fits) return difference('decimal: units for what has none, or none for what has')
  return !ours.ok || BigInt(ours.value) === factor ? BOTH : difference('decimal: other units')
}

function scaled({ units, scale }: Plain, to: number): bigint | undefined {
  if (to >= scale) return units * 10n ** BigInt(to - scale)
  const divisor = 10n ** BigInt(scale - to)
  return units % divisor === 0n ? units / divisor : undefined
}

export const decimalTarget = defineTarget<DecimalCase>({
  name: 'decimal',
  about: 'Decimal and toUnits against arithmetic on BigInt',
  make: (random) => ({ left: makeText(random), right: makeText(random), scale: random.pick([0, 1, 2, 3, 15]) }),
  judge({ left, right, scale }) {
    const verdicts = [judgeOne(left), judgePair(left, right), judgeUnits(left, scale)]
    return verdicts.find(({ kind }) => kind === 'difference') ?? verdicts[0] ?? NEITHER
  },
})
