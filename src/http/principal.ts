/** Who a request acts for, as far as the kit needs to know; features hand out richer ones. */
export interface Principal {
  /** For the access log. */
  readonly userId: number
}
