/** The part of a Pool of pg that listens: how it makes its connections. */
export interface ListeningPool {
  readonly options?: object
  readonly ending?: boolean
}

/** One connection of pg. */
interface PgClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<unknown>
  unref?(): void
  on(event: string, listener: (notification?: { readonly payload?: string }) => void): unknown
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5000
/** A connection that broke without a word is found by asking. */
const ASK_EVERY_MS = 15_000
const PATIENCE_MS = 5000

/**
 * On a connection of its own, made as the pool makes its: one that listens does nothing else, and the pool may have no
 * other. It alone keeps no process running.
 */
export function listenByPg(
  pool: ListeningPool,
  channel: string,
  heard: (payload: string | undefined) => void,
): () => void {
  const { Client } = pool as { Client: new (options?: object) => PgClient }
  let open = true
  let waitMs = FIRST_WAIT_MS
  let timer: NodeJS.Timeout | undefined
  let end: () => void = () => undefined

  const later = (work: () => void, milliseconds: number): void => {
    timer = setTimeout(work, milliseconds)
    timer.unref()
  }

  const begin = (): void => {
    const own = new Client(pool.options)
    let isLost = false
    const close = () => void own.end().catch(ignore)
    const lost = (): void => {
      if (isLost) return
      isLost = true
      clearTimeout(timer)
      close()
      if (!open || pool.ending === true) return
      later(begin, waitMs * (0.5 + Math.random() / 2))
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
    const ask = async (): Promise<void> => {
      later(lost, PATIENCE_MS)
      await own.query(`LISTEN "${channel}"`)
      clearTimeout(timer)
      if (open && !isLost) later(() => void ask().catch(lost), ASK_EVERY_MS)
    }
    const listen = async (): Promise<void> => {
      later(lost, PATIENCE_MS)
      await own.connect()
      clearTimeout(timer)
      own.unref?.()
      await ask()
      waitMs = FIRST_WAIT_MS
      if (open) heard(undefined)
    }
    end = () => {
      isLost = true
      close()
    }
    own.on('error', lost)
    own.on('end', lost)
    own.on('notification', (notification) => {
      if (open) heard(notification?.payload ?? '')
    })
    listen().catch(lost)
  }

  begin()
  return () => {
    open = false
    clearTimeout(timer)
    end()
  }
}

function ignore(): void {
  // It was gone before.
}
