// Mapping stacks to sources makes every Error a peer throws several times dearer than in production.
process.setSourceMapsEnabled(false)

const [command, ...rest] = process.argv.slice(2)
if (command === 'serve') {
  const { serve } = await import('./http/serve.ts')
  await serve(rest[0])
} else if (command === 'verify-loop') {
  const { verifyLoop } = await import('./process/verify-loop.ts')
  verifyLoop()
} else if (command === 'follow') {
  const { follow } = await import('./feed/follow.ts')
  follow()
} else if (command === 'weigh') {
  const { weigh } = await import('./memory/weigh.ts')
  weigh()
} else if (command === 'first-answer') {
  const { firstAnswer } = await import('./size/first-answer.ts')
  process.exitCode = (await firstAnswer()) === 200 ? 0 : 1
} else {
  const { runBench } = await import('./command/run-bench.ts')
  process.exitCode = await runBench(process.argv.slice(2))
}
