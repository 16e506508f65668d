import { auditExport } from './audit/audit-export.ts'
import { auditShow } from './audit/audit-show.ts'
import { auditVerify } from './audit/audit-verify.ts'
import type { Command } from './command/command.ts'
import { initCommand } from './init/init.ts'
import { keysGenerate } from './keys/keys-generate.ts'
import { keysList } from './keys/keys-list.ts'
import { keysRotate } from './keys/keys-rotate.ts'
import { ledgerRaiseEpoch } from './ledger/raise-epoch.ts'
import { policyCheck } from './policy/policy-check.ts'
import { policyExplain } from './policy/policy-explain.ts'
import { resumeCommand, revokeCommand } from './revoke/revoke.ts'
import { runFile } from './run/run-file.ts'
import { devCommand } from './serve/dev.ts'
import { serveCommand } from './serve/serve.ts'

/** Every command, in the order a person meets them. */
export const commands: readonly Command[] = [
  initCommand,
  devCommand,
  serveCommand,
  runFile,
  policyCheck,
  policyExplain,
  auditShow,
  auditVerify,
  auditExport,
  revokeCommand,
  resumeCommand,
  keysGenerate,
  keysList,
  keysRotate,
  ledgerRaiseEpoch,
]
