/**
 * Turns JIT compilation back on. The executable starts with JIT compilation nearly off (`--compile-jit-policy=1000`).
 * The code of a start runs once. Compiling this code would take longer than interpreting it, and would keep 5 MiB in
 * use. Call this function before sustained work. The engine compiles a function after a number of calls, and the calls
 * before `enableJit` count too.
 */
export const enableJit = (): void => Bun.unsafe.setJITPolicy(1)
