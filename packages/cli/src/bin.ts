#!/usr/bin/env node
import { runCli } from './run-cli.ts'

// Not process.exit(): what is still being written to a pipe must arrive.
process.exitCode = await runCli(process.argv.slice(2))
