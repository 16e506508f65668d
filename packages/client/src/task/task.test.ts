/// <reference lib="esnext.disposable" />
import { describe, expect, test } from 'vitest'
import { changed, desk, task } from '../../test/desk.ts'

const refund = { resource: 'order:123', parameters: { amount: '1.00' } } as const
const ends = (lines: readonly string[]) => lines.filter((line) => line.startsWith('task.ended'))

describe('client.task()', () => {
  test('client.task() completes when its work returns, and hands the value on', async () => {
    const { client, recorded } = desk()
    expect(await client.task(task, async () => 'done')).toBe('done')
    expect(ends(await recorded())).toEqual(['task.ended completed'])
  })

  test('client.task() fails when its work throws, and throws the same again', async () => {
    const { client, recorded } = desk()
    const problem = new Error('no such ticket')
    await expect(client.task(task, () => Promise.reject(problem))).rejects.toBe(problem)
    expect(ends(await recorded())).toEqual(['task.ended failed'])
  })

  test('client.task() cancels when its signal is aborted, and rejects with its reason', async () => {
    const { client, recorded } = desk()
    const stop = new AbortController()
    const running = client.task({ ...task, signal: stop.signal }, async (task) => {
      stop.abort(new Error('the user left'))
      return task.call('refund.create', refund)
    })
    await expect(running).rejects.toThrow('the user left')
    expect(ends(await recorded())).toEqual(['task.ended cancelled'])
  })

  test('client.task() aborted while a call is on its way ends that call', async () => {
    const { client, setTap, recorded } = desk()
    const stop = new AbortController()
    setTap((request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      stop.abort(new Error('the user left'))
      return new Promise(() => {})
    })
    const running = client.task({ ...task, signal: stop.signal }, (task) => task.call('refund.create', refund))
    await expect(running).rejects.toThrow('the user left')
    expect(ends(await recorded())).toEqual(['task.ended cancelled'])
  })

  test('client.task() with an aborted signal opens nothing', async () => {
    const { client, sent } = desk()
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(client.task({ ...task, signal }, async () => true)).rejects.toThrow('too late')
    expect(sent).toEqual([])
  })

  test('client.task() never runs its work when the task is refused', async () => {
    const { client } = desk()
    let ran = false
    const outcome = await client.task({ purpose: 'world-domination' }, async () => {
      ran = true
      return ran
    })
    expect(outcome).toMatchObject({ ok: false, reason: 'purpose-unknown', retryable: false })
    expect(ran).toBe(false)
  })

  test('client.task() says when too many tasks are open, and that later may do', async () => {
    const { client } = desk()
    for (const _ of [1, 2, 3]) await client.openTask(task)
    expect(await client.task(task, async () => true)).toMatchObject({
      ok: false,
      reason: 'too-many-open-tasks',
      retryable: true,
    })
  })

  test('client.task() sends note, ceiling and deadline', async () => {
    const { client, to, world } = desk()
    const options = { ...task, note: '#9917', ceiling: { resources: ['order:1'] }, deadlineSeconds: 60 }
    const outcome = await client.task(options, (task) => task.call('order.read', { resource: 'order:2' }))
    expect(outcome).toMatchObject({ ok: false, reason: 'ceiling-exceeded' })
    const detail = new URLSearchParams(to('/token')[0]?.body).get('authorization_details')
    expect(JSON.parse(detail ?? '')).toMatchObject([{ note: '#9917', deadline: world.clock.now() + 60 }])
  })

  test('client.task() ends only once, whoever says so first', async () => {
    const { client, recorded, to } = desk()
    await client.task(task, async (task) => {
      await task.fail()
      await task.complete()
      return true
    })
    expect(ends(await recorded())).toEqual(['task.ended failed'])
    expect(to('/revoke')).toHaveLength(1)
  })

  test('client.task() returns what its work returned even if the broker cannot be told, after trying again', async () => {
    const { client, setTap, to } = desk()
    setTap((request, next) => (request.url.endsWith('/revoke') ? Promise.reject(new Error('down')) : next(request)))
    expect(await client.task(task, async () => 'done')).toBe('done')
    expect(to('/revoke')).toHaveLength(2)
  })

  test('client.task() tells the broker on the second attempt', async () => {
    const { client, setTap, recorded } = desk()
    let down = true
    setTap((request, next) => {
      if (!request.url.endsWith('/revoke') || !down) return next(request)
      down = false
      return Promise.resolve(new Response(null, { status: 503 }))
    })
    await client.task(task, async () => true)
    expect(ends(await recorded())).toEqual(['task.ended completed'])
  })
})

describe('client.openTask()', () => {
  test('client.openTask() abandons what is disposed without an end', async () => {
    const { client, recorded } = desk()
    {
      await using opened = await client.openTask(task)
      expect(opened.ok).toBe(true)
    }
    expect(ends(await recorded())).toEqual(['task.ended abandoned'])
  })

  test('client.openTask() leaves a completed task completed when it is disposed', async () => {
    const { client, recorded } = desk()
    {
      await using opened = await client.openTask(task)
      if (opened.ok) await opened.complete()
    }
    expect(ends(await recorded())).toEqual(['task.ended completed'])
  })

  test('client.openTask() gives a refusal that can be disposed and has no call', async () => {
    const { client } = desk()
    await using opened = await client.openTask({ purpose: 'world-domination' })
    expect(opened).toMatchObject({ ok: false, reason: 'purpose-unknown' })
    expect(opened).not.toHaveProperty('call')
  })

  test('client.openTask() makes no call after its end', async () => {
    const { client, sent } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    await opened.complete()
    const before = sent.length
    expect(await opened.call('refund.create', refund)).toMatchObject({ ok: false, reason: 'task-ended' })
    expect((await opened.fetch('https://orders.test/orders/1')).status).toBe(403)
    expect(opened.over.aborted).toBe(true)
    expect(sent).toHaveLength(before)
  })

  test('client.openTask() answers a call that its end overtakes with a value', async () => {
    const { client, setTap } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    let arrived = () => {}
    const onItsWay = new Promise<void>((resolve) => {
      arrived = resolve
    })
    setTap((request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      arrived()
      return new Promise(() => {})
    })
    const call = opened.call('refund.create', refund)
    await onItsWay
    await opened.cancel()
    expect(await call).toMatchObject({ ok: false, reason: 'task-ended' })
  })

  test('client.openTask() notices that the broker ended the task, and holds nothing any more', async () => {
    const { client, world, sent } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    await opened.call('order.read', { resource: 'order:1' })
    await world.broker.revoke({ kind: 'task', txn: opened.txn }, 'odd behaviour')
    // The held grant is refused by the API and forgotten; the broker then says that the task is over.
    expect(await opened.call('order.read', { resource: 'order:1' })).toMatchObject({
      ok: false,
      reason: 'grant-revoked',
    })
    expect(await opened.call('order.read', { resource: 'order:1' })).toMatchObject({ ok: false, reason: 'task-ended' })
    expect(opened.over.aborted).toBe(true)
    const before = sent.length
    expect(await opened.call('order.read', { resource: 'order:1' })).toMatchObject({ ok: false, reason: 'task-ended' })
    expect(sent).toHaveLength(before)
  })
})

describe('renewal', () => {
  const tokens = (to: ReturnType<typeof desk>['to']) =>
    to('/token').map(({ body }) => {
      const form = new URLSearchParams(body)
      const [detail] = JSON.parse(form.get('authorization_details') ?? '[]') as { type: string; txn?: string }[]
      return detail?.txn === undefined ? detail?.type.split(':').at(-1) : 'renewal'
    })

  test('a task token is renewed before it runs out, with fresh identity and the same key', async () => {
    const { client, world, to, recorded } = desk()
    await client.task(task, async (task) => {
      await task.call('refund.create', refund)
      world.clock.advance(850)
      return task.call('refund.create', refund)
    })
    expect(tokens(to)).toEqual(['task', 'tool-call', 'renewal', 'tool-call'])
    const assertions = to('/token').map(({ body }) => new URLSearchParams(body).get('client_assertion'))
    expect(new Set(assertions).size).toBe(3)
    expect(await recorded()).toContain('task.renewed')
    expect(world.handled).toHaveLength(2)
  })

  test('calls that need a renewal at once share one', async () => {
    const { client, world, to } = desk()
    await client.task(task, async (task) => {
      world.clock.advance(850)
      return Promise.all(
        ['order:1', 'order:2', 'order:3'].map((resource) =>
          task.call('refund.create', { ...refund, resource: resource as 'order:1' }),
        ),
      )
    })
    expect(tokens(to).filter((kind) => kind === 'renewal')).toHaveLength(1)
  })

  test('a renewal that fails leaves the old token for what is left of it', async () => {
    const { client, world, setTap } = desk()
    const outcome = await client.task(task, async (task) => {
      world.clock.advance(850)
      setTap(async (request, next) =>
        (await request.clone().text()).includes('client_credentials')
          ? new Response(null, { status: 503 })
          : next(request),
      )
      return task.call('refund.create', refund)
    })
    expect(outcome).toMatchObject({ ok: true })
  })

  test('without a renewal an expired token is never sent', async () => {
    const { client, world, setTap, to } = desk()
    const outcome = await client.task(task, async (task) => {
      world.clock.advance(899)
      setTap(async (request, next) =>
        (await request.clone().text()).includes('client_credentials')
          ? new Response(null, { status: 503 })
          : next(request),
      )
      return task.call('refund.create', refund)
    })
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-unavailable', retryable: true })
    expect(tokens(to)).toEqual(['task', 'renewal'])
  })

  test('a renewal for another task is not taken', async () => {
    const { client, world, setTap } = desk()
    const outcome = await client.task(task, async (task) => {
      world.clock.advance(899)
      setTap(async (request, next) => {
        const response = await next(request)
        return request.url.endsWith('/token') ? changed(response, { txn: 'tsk_AAAAAAAAAAAAAAAAAAAAAA' }) : response
      })
      return task.call('refund.create', refund)
    })
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-answer-invalid' })
  })

  test('a task past its deadline is over, whatever is renewed', async () => {
    const { client, world } = desk()
    const outcome = await client.task({ ...task, deadlineSeconds: 30 }, async (task) => {
      world.clock.advance(31)
      return task.call('refund.create', refund)
    })
    expect(outcome).toMatchObject({ ok: false, reason: 'task-expired' })
  })
})
