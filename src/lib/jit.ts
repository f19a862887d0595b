/**
 * Turns JIT compilation back on. The executable starts with it nearly off (`--compile-jit-policy=1000`): the code of a start
 * runs once, so compiling it takes longer than interpreting it, and 5 MiB that stay in use. Call this before sustained
 * work. Earlier calls of a function count towards its compilation.
 */
export const enableJit = (): void => Bun.unsafe.setJITPolicy(1)
