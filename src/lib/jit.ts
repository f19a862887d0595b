/**
 * Lets the engine compile what runs often. The build makes it a thousand times as reluctant (`--compile-jit-policy`), for
 * what a start runs is not run again: to compile it takes longer than to interpret it, and 5 MiB that stay. Whoever goes on
 * to real work says so here; what ran until then counts.
 */
export const compileWhatIsHot = (): void => Bun.unsafe.setJITPolicy(1)
