import { assert, nat, property, record, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReservation, reservationText } from './reservation.ts'

const id = string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 })
const ids = record({ shard: nat(255), jti: id, txn: id, attempt: id })

describe('parseReservation()', () => {
  it('reads back whatever ids were put in', () => {
    assert(
      property(ids, (found) => {
        const reservation = { ...found, secret: 'abcdefghijklmnopqrstuv-_' }
        expect(parseReservation(reservationText(reservation))).toEqual(reservation)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['another ledger’s', 'res_AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['no attempt', 'res_0.abcdefghijklmnopqrstuv-_.2.3.grtsk'],
    ['a length beyond the text', 'res_0.abcdefghijklmnopqrstuv-_.99.3.grtskat'],
    ['a short secret', 'res_0.abc.2.3.grtskat'],
    ['more than a line', 'res_0.abcdefghijklmnopqrstuv-_.2.3.grtsk\nat'],
    ['no shard', 'res_.abcdefghijklmnopqrstuv-_.2.3.grtskat'],
  ])('finds nothing in %s', (_what, text) => {
    expect(parseReservation(text)).toBeUndefined()
  })
})
