/** The little of oidc-provider that this example uses; the package ships no types. */
declare module 'oidc-provider' {
  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    listen(port: number, host: string, listening: () => void): unknown
  }
}
