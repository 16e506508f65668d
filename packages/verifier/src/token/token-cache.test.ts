import { expect, test } from 'vitest'
import { createTokenCache } from './token-cache.ts'
import type { GenuineToken } from './genuine-token.ts'

const TAIL = 'x'.repeat(43)
const found = (token: string, key = { live: true }): GenuineToken => ({ token, key }) as unknown as GenuineToken

test('createTokenCache() compares the whole token, whatever its tail', () => {
  const cache = createTokenCache(10)
  const genuine = found(`header.payload.${TAIL}`)
  cache.set(genuine)
  expect([
    cache.get(`header.payload.${TAIL}`),
    cache.get(`header.pay1oad.${TAIL}`),
    cache.get(TAIL),
    cache.get(''),
  ]).toEqual([genuine, undefined, undefined, undefined])
})

test('createTokenCache() forgets what a dead key verified', () => {
  const cache = createTokenCache(10)
  const key = { live: true }
  cache.set(found(`a.b.${TAIL}`, key))
  key.live = false
  expect(cache.get(`a.b.${TAIL}`)).toBeUndefined()
  key.live = true
  expect(cache.get(`a.b.${TAIL}`)).toBeUndefined()
})

test('createTokenCache() holds no more than it was told', () => {
  const cache = createTokenCache(2)
  const tokens = ['1', '2', '3'].map((digit) => `a.b.${digit.repeat(43)}`)
  for (const token of tokens) cache.set(found(token))
  expect(tokens.map((token) => cache.get(token) !== undefined)).toEqual([false, true, true])
})

test('createTokenCache() compares the whole token also where it was asked for it a moment ago', () => {
  const cache = createTokenCache(10)
  const [one, other] = [found(`a.b.${TAIL}`), found(`a.c.y${TAIL.slice(1)}`)]
  cache.set(one)
  cache.set(other)
  for (let round = 0; round < 3; round++) {
    expect(cache.get(one.token)).toBe(one)
    expect(cache.get(other.token)).toBe(other)
    expect(cache.get(`a.B.${TAIL}`)).toBeUndefined()
    expect(cache.get(`A.c.y${TAIL.slice(1)}`)).toBeUndefined()
  }
})

test('createTokenCache() forgets what a dead key verified, however recently it was asked for', () => {
  const cache = createTokenCache(10)
  const key = { live: true }
  const [mortal, lasting] = [found(`a.b.${TAIL}`, key), found(`a.c.y${TAIL.slice(1)}`)]
  cache.set(mortal)
  cache.set(lasting)
  expect([cache.get(mortal.token), cache.get(mortal.token)]).toEqual([mortal, mortal])
  key.live = false
  expect(cache.get(mortal.token)).toBeUndefined()
  expect(cache.get(lasting.token)).toBe(lasting)
  key.live = true
  expect([cache.get(mortal.token), cache.get(mortal.token)]).toEqual([undefined, undefined])
})

test('createTokenCache() holds no more than it was told, however many are asked for', () => {
  const cache = createTokenCache(1)
  const tokens = ['1', '2', '3'].map((digit) => `a.b.${digit.repeat(43)}`)
  for (const token of tokens) {
    cache.set(found(token))
    expect(cache.get(token)?.token).toBe(token)
  }
  expect(tokens.map((token) => cache.get(token) !== undefined)).toEqual([false, false, true])
})
