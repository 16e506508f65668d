import { decimal, defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { testWorld } from '../world/test-world.ts'
import type { Attack } from './attack.ts'
import { attackMaterial } from './attack-material.ts'
import { requestWith, toRequest } from './honest-request.ts'
import { credentialAttacks, proofAttacks } from './proof-attacks.ts'
import { bodyAttacks } from './request-attacks.ts'
import { tokenAttacks } from './token-attacks.ts'

const orders = defineApi({
  audience: 'https://orders.test',
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})

async function scene() {
  const world = testWorld({ api: orders })
  const call = { purpose: 'test', action: 'refund.create', resource: 'order:123', parameters: { amount: '42.00' } }
  return { world, material: await attackMaterial(world, call) }
}

const attacks: readonly Attack[] = [...credentialAttacks, ...tokenAttacks, ...proofAttacks, ...bodyAttacks]

describe('attacks', () => {
  test('requestWith() is let through as long as nothing is bent', async () => {
    const { world, material } = await scene()
    expect((await world.fetch(toRequest(requestWith(material)))).status).toBe(200)
    expect(world.handled).toHaveLength(1)
  })

  test('every attack has an id of its own', () => {
    expect(new Set(attacks.map(({ id }) => id)).size).toBe(attacks.length)
  })

  const rows = attacks.map((attack) => [attack.id, attack] as const)
  test.each(rows)('%s', async (_id, attack) => {
    const { reason, status } = attack
    expect(await attempt(attack)).toEqual({ reason, status, handled: 0 })
  })
})

async function attempt(attack: Attack) {
  const { world, material } = await scene()
  if (attack.before) await world.fetch(toRequest(attack.before(material)))
  const before = world.handled.length
  const { status } = await world.fetch(toRequest(attack.make(material)))
  const reason = world.observed.findLast(({ kind }) => kind === 'refused')?.reason
  return { reason, status, handled: world.handled.length - before }
}
