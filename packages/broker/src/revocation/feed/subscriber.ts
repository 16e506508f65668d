/** Bytes that may wait for a slow reader before it is sent away. */
const MAX_WAITING_BYTES = 512 * 1024
/** A reader that takes nothing for so long while it catches up is gone. */
const PATIENCE_MS = 10_000

/** One open event stream. */
export interface Subscriber {
  readonly body: ReadableStream<Uint8Array>
  readonly isOpen: boolean
  /** Takes it, or drops the stream: nothing is buffered without bound, and nothing is left out of one that goes on. */
  push(message: Uint8Array): void
  /** Resolves when there is room again; drops the stream when that takes too long. */
  room(): Promise<void>
  close(): void
}

/** `onClose` runs once, whoever ends it. */
export function createSubscriber(onClose: () => void): Subscriber {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let onRoom: (() => void) | undefined
  const ended = (): void => {
    controller = undefined
    onRoom?.()
    onClose()
  }
  const close = (): void => {
    if (controller === undefined) return
    const open = controller
    ended()
    try {
      open.close()
    } catch {
      // The reader was quicker.
    }
  }
  const hasRoom = (): boolean => controller === undefined || (controller.desiredSize ?? 0) > 0
  const body = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started
      },
      pull() {
        onRoom?.()
      },
      cancel() {
        if (controller !== undefined) ended()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  )
  return {
    body,
    get isOpen() {
      return controller !== undefined
    },
    push(message) {
      if (controller === undefined) return
      if (hasRoom()) controller.enqueue(message)
      else close()
    },
    async room() {
      if (hasRoom()) return
      const waited = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), PATIENCE_MS)
        onRoom = () => {
          clearTimeout(timer)
          resolve(true)
        }
      })
      onRoom = undefined
      if (!waited) close()
    },
    close,
  }
}
