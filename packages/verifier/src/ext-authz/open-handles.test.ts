import { describe, expect, test } from 'vitest'
import type { Use } from '../use/use.ts'
import { createOpenHandles } from './open-handles.ts'

const use = { ok: true } as Use

describe('createOpenHandles()', () => {
  test('createOpenHandles() gives out no more places than it has, those that are not taken yet among them', () => {
    const handles = createOpenHandles(60, 2)
    const [first, second] = [handles.claim(100), handles.claim(100)]
    expect(handles.claim(100)).toBeUndefined()
    const kept = first?.keep(use, 100) ?? ''
    expect(handles.claim(100)).toBeUndefined()
    second?.free()
    expect(handles.claim(100)).toBeDefined()
    expect(handles.claim(100)).toBeUndefined()
    expect(handles.take(kept, 101)).toBe(use)
    expect(handles.claim(101)).toBeDefined()
  })

  test('createOpenHandles() frees a place once, whatever is done with it', () => {
    const handles = createOpenHandles(60, 1)
    const place = handles.claim(100)
    place?.free()
    place?.free()
    expect(handles.claim(100)).toBeDefined()
    expect(handles.claim(100)).toBeUndefined()
  })

  test('createOpenHandles() makes room when what it holds is too old to be reported', () => {
    const handles = createOpenHandles(60, 1)
    const kept = handles.claim(100)?.keep(use, 100) ?? ''
    expect(handles.claim(159)).toBeUndefined()
    expect(handles.take(kept, 160)).toBeUndefined()
    expect(handles.claim(160)).toBeDefined()
  })
})
