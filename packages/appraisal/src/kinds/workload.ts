// A field of a workload, which says which code it is.

import { field } from '../block.ts'
import { type ClaimPath, type Expectation, expect } from '../expectation.ts'
import type { Leaf } from '../leaf.ts'
import { name } from '../names.ts'

/** What a value of a workload is compared with. */
export const is = <T>(leaf: Leaf<T>, claim: ClaimPath, meaning: string): Expectation<T> =>
  expect(leaf, { claim, facet: 'executables', meaning, remedy: 'this is other code than the workload' })

export const NAME = field(name(), 'Name of the workload, as results and policies call it; once per kind.')
