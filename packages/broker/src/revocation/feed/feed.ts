import { concerning, type FeedRun, type Ledger, type RevocationPage } from '@hallpass/core'
import type { RevocationTail } from '../revocation-tail.ts'
import { PAGE_LINES } from '../revocation-tail.ts'
import { feedMessage, type Transmitter } from './feed-message.ts'
import { createSubscriber, type Subscriber } from './subscriber.ts'

export interface FeedOptions extends Transmitter {
  readonly ledger: Pick<Ledger, 'revocations' | 'incarnation'>
  readonly tail: RevocationTail
  /** Time between two messages at most; default 1 s. */
  readonly heartbeatSeconds?: number
  /** Streams open at a time; default 2000. */
  readonly maxSubscribers?: number
}

export interface Reader {
  readonly audience: string
  /** Where it was before; undefined = from the start. */
  readonly after: string | undefined
  /** Seconds after which the stream ends, with the token that opened it. */
  readonly seconds: number
}

/** The revocation feed: signed runs of the log to whoever holds a stream open, each only what concerns its audience. */
export interface Feed {
  /** A stream, or undefined when there is no room for one. */
  open(reader: Reader): ReadableStream<Uint8Array> | undefined
  readonly size: number
  close(): void
}

/** Everybody of one audience who is at the same place of the log. */
interface Channel {
  readonly audience: string
  readonly subscribers: Set<Subscriber>
  /** Where the last message ended; only moves while the tail stands still or hands over a page. */
  cursor: string
  /** Ledger time of the last complete message, and when it was sent, in milliseconds of this process. */
  at: number
  saidMs: number
}

export function createFeed(options: FeedOptions): Feed {
  const { ledger, tail, heartbeatSeconds = 1, maxSubscribers = 2000 } = options
  const heartbeatMs = heartbeatSeconds * 1000
  const channels = new Map<string, Channel>()
  const open = new Set<Subscriber>()
  let heartbeat: NodeJS.Timeout | undefined
  let unfollow: (() => void) | undefined

  /** What cannot be signed is not sent, and whoever waited for it has to ask again. */
  const send = async (channel: Channel, run: Omit<FeedRun, 'incarnation' | 'prev'>): Promise<void> => {
    const { subscribers, audience, cursor: prev } = channel
    channel.cursor = run.cursor
    if (run.complete) {
      channel.at = run.at
      channel.saidMs = performance.now()
    }
    const receivers = [...subscribers]
    try {
      const message = await feedMessage(options, audience, { ...run, prev, incarnation: ledger.incarnation })
      for (const receiver of receivers) receiver.push(message)
    } catch {
      for (const receiver of receivers) receiver.close()
    }
  }

  const occupied = () => [...channels.values()].filter(({ subscribers }) => subscribers.size > 0)

  const pass = async ({ entries, cursor, at, more }: RevocationPage): Promise<void> => {
    await Promise.all(
      occupied().map(async (channel) => {
        const news = concerning(channel.audience, entries)
        if (news.dead.length === 0 && news.everything === undefined) return
        await send(channel, { ...news, cursor, at, complete: !more })
      }),
    )
  }

  /** To whoever heard nothing for half a heartbeat: a message about revocations says as well up to when all is known. */
  const beat = async (): Promise<void> => {
    const before = tail.at
    await tail.sync()
    await tail.pause(async () => {
      const { cursor, at } = tail
      if (cursor === undefined || at < before) return
      const latest = performance.now() - heartbeatMs / 2
      const quiet = occupied().filter((channel) => channel.at < at && channel.saidMs <= latest)
      await Promise.all(quiet.map(async (channel) => send(channel, { cursor, at, complete: true, dead: [] })))
    })
  }

  /** When the first channel will have been quiet for a heartbeat. */
  const beatInTime = (): void => {
    const said = Math.min(performance.now(), ...occupied().map(({ saidMs }) => saidMs))
    const waitMs = Math.max(said + heartbeatMs - performance.now(), heartbeatMs / 2)
    const beatOn = async (): Promise<void> => {
      // A ledger that does not answer makes no heartbeat, and that is what readers have to know.
      await beat().catch(() => undefined)
      if (open.size > 0) beatInTime()
    }
    clearTimeout(heartbeat)
    heartbeat = setTimeout(() => void beatOn(), waitMs)
    heartbeat.unref()
  }

  const gone = (): void => {
    for (const subscriber of open) subscriber.close()
    channels.clear()
  }

  const start = (): void => {
    unfollow ??= tail.follow({ page: pass, gone })
    if (heartbeat === undefined) beatInTime()
  }

  const stop = (): void => {
    clearTimeout(heartbeat)
    unfollow?.()
    heartbeat = unfollow = undefined
  }

  const leave = (subscriber: Subscriber): void => {
    open.delete(subscriber)
    for (const [audience, { subscribers }] of channels) {
      if (subscribers.delete(subscriber) && subscribers.size === 0) channels.delete(audience)
    }
    if (open.size === 0) stop()
  }

  const channelOf = (audience: string, cursor: string): Channel => {
    let channel = channels.get(audience)
    if (channel === undefined) {
      channel = { audience, subscribers: new Set(), cursor, at: Number.NEGATIVE_INFINITY, saidMs: performance.now() }
      channels.set(audience, channel)
    }
    return channel
  }

  /** Sends everything from the reader's place on, and joins it to its channel where that ends. */
  const catchUp = async (subscriber: Subscriber, { audience, after }: Reader): Promise<void> => {
    const place: Place = { prev: null, after }
    if (after !== undefined) place.prev = after
    const tell = async (page: RevocationPage, cursor: string): Promise<void> => {
      const { at, more } = page
      const run = { ...concerning(audience, page.entries), cursor, at, complete: !more }
      const message = await feedMessage(options, audience, {
        ...run,
        prev: place.prev,
        incarnation: ledger.incarnation,
      })
      subscriber.push(message)
      place.prev = place.after = cursor
    }
    const readOn = async (): Promise<RevocationPage> => {
      for (;;) {
        const { after: from } = place
        const read = await ledger.revocations({ ...(from !== undefined && { after: from }), limit: PAGE_LINES })
        if (read.state === 'read') return read
        if (from === undefined) throw new Error('The log has no start')
        place.after = undefined
        place.prev = null
      }
    }
    await tail.sync()
    while (subscriber.isOpen) {
      const page = await readOn()
      if (page.more) {
        await tell(page, page.cursor)
        await subscriber.room()
        continue
      }
      // Read once more while the tail stands still: it then knows no less than the channel does, so that the channel's
      // next message may follow upon its last.
      const joined = await tail.pause(async () => {
        const last = await readOn()
        if (last.more || tail.cursor === undefined || !subscriber.isOpen) return false
        const channel = channelOf(audience, tail.cursor)
        await tell(last, channel.cursor)
        channel.subscribers.add(subscriber)
        return true
      })
      if (joined) return
    }
  }

  return {
    open(reader) {
      if (open.size >= maxSubscribers) return undefined
      const subscriber = createSubscriber(() => {
        clearTimeout(end)
        leave(subscriber)
      })
      const end = setTimeout(() => subscriber.close(), reader.seconds * 1000)
      end.unref()
      open.add(subscriber)
      start()
      catchUp(subscriber, reader).catch(() => subscriber.close())
      return subscriber.body
    },
    get size() {
      return open.size
    },
    close() {
      for (const subscriber of open) subscriber.close()
      stop()
    },
  }
}

/** Where a reader is while it catches up: what its next message follows upon, and where to read on. */
interface Place {
  prev: string | null
  after: string | undefined
}
