import type { z } from 'zod'

/** Tier that decides defaults: reads may be classed and reused, writes get exact parameters and one use. */
export type Risk = 'read' | 'write' | 'critical'
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Route = `${Method} /${string}`

/** What a catalog's author writes for one action. */
export interface ActionInput {
  /** `POST /orders/{id}/refund`; absent for a local function that only `guard` protects. */
  readonly route?: Route
  /** `order:{id}`: kind, colon, route parameters; or a constant such as `orders:all` where the route names nothing. */
  readonly resource: `${string}:${string}`
  readonly risk: Risk
  /** zod object, made strict; parameters that travel in query or route are strings. Absent = no parameters. */
  readonly parameters?: z.ZodObject
  /** One line for people. */
  readonly title?: string
}

/** `'order:{id}'` -> `` `order:${string}` `` */
export type ResourceOfTemplate<T extends string> = T extends `${infer Head}{${string}}${infer Tail}`
  ? `${Head}${string}${ResourceOfTemplate<Tail>}`
  : T

export interface Action<
  Name extends string = string,
  Resource extends string = string,
  P extends z.ZodObject = z.ZodObject,
> {
  readonly name: Name
  readonly audience: string
  readonly method?: Method
  /** Path template as written, `/orders/{id}/refund`. */
  readonly path?: string
  readonly resource: Resource
  /** `order` of `order:{id}`. */
  readonly kind: string
  readonly risk: Risk
  readonly parameters: P
  readonly title?: string
}

export type ActionMap = Readonly<Record<string, Action>>

/** A protected service: its audience and its catalog of actions. */
export interface Api<Actions extends ActionMap = ActionMap> {
  readonly audience: string
  readonly title?: string
  readonly actions: Actions
}

/** One API or several; action names are unique across them. */
export type ApiSet = Api | readonly Api[]

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never

export type ActionsOf<S extends ApiSet> = S extends readonly Api[]
  ? UnionToIntersection<S[number]['actions']>
  : S extends Api
    ? S['actions']
    : never
/** Names of the actions. Conditional, so that an error lists the names and not the whole catalog. */
export type ActionName<S extends ApiSet> = S extends unknown ? keyof ActionsOf<S> & string : never
export type ActionOf<S extends ApiSet, N extends ActionName<S>> = ActionsOf<S>[N]
/** `order:${string}` of one action. */
export type ResourceOf<A> = A extends Action<string, infer R> ? ResourceOfTemplate<R> : never
/** What a caller passes (JSON): decimals are strings. */
export type ParametersIn<A> = A extends Action<string, string, infer P> ? z.input<P> : never
/** What policy and handler see: decimals are `Decimal`. */
export type ParametersOut<A> = A extends Action<string, string, infer P> ? z.output<P> : never
type PartName<T extends string> = T extends `${string}{${infer Name}}${infer Tail}` ? Name | PartName<Tail> : never
/** `'{tenant}/{id}'` -> `{ tenant: string; id: string }` */
export type PartsOf<A> = A extends Action<string, infer R> ? { readonly [N in PartName<R>]: string } : never
