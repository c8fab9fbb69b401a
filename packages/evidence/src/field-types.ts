// The types of claims as data. The compiler holds each table to the claims that it describes: a claim that is added,
// renamed or of another type does not compile where its table stands.

import type { CommonClaims } from './claims.ts'

/** The type of one field; `?` where it may be null. */
export type Field =
  | ScalarField
  | `${ScalarField}?`
  | Fields
  | { readonly orNull: Fields }
  | { readonly listOf: Fields }

type ScalarField = 'string' | 'int' | 'bool' | 'list<string>' | 'list<int>'

export interface Fields {
  readonly [name: string]: Field
}

type FieldOf<T> = null extends T ? NullableField<PlainField<NonNullable<T>>> : PlainField<T>
type NullableField<F> = F extends string ? `${F}?` : { readonly orNull: F }

type PlainField<T> = [T] extends [string]
  ? 'string'
  : [T] extends [number]
    ? 'int'
    : [T] extends [boolean]
      ? 'bool'
      : [T] extends [readonly string[]]
        ? 'list<string>'
        : [T] extends [readonly number[]]
          ? 'list<int>'
          : [T] extends [readonly (infer E)[]]
            ? { readonly listOf: FieldsOf<E> }
            : FieldsOf<T>

/** The table that a type of plain data has. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: FieldOf<T[K]> }

/** The table of what one kind says beside {@link CommonClaims}. */
export type OwnFieldsOf<C extends CommonClaims> = FieldsOf<Omit<C, keyof CommonClaims>>
