// The secret and the steps of the tour, which it takes and the screen tells of.

/** The path of the tour's secret. */
export const TOUR_SECRET = 'default/demo/greeting'

/** One thing that was done and seen to be so. */
export interface Proof {
  readonly what: string
  readonly detail: string
}

/** One step, as it is told. */
export interface TourStep {
  readonly title: string
  /** One plain sentence. */
  readonly sentence: string
  readonly proofs: readonly Proof[]
}
