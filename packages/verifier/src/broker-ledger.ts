export { brokerLedger } from './broker-ledger/broker-ledger.ts'
export type { BrokerLedgerOptions } from './broker-ledger/broker-ledger.ts'
