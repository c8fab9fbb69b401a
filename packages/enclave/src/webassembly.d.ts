// The part of the WebAssembly JavaScript interface that is used here; Node's types do not carry it.

declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  const Module: {
    new (code: Uint8Array<ArrayBuffer>): Module
    imports(module: Module): { readonly module: string; readonly name: string; readonly kind: string }[]
    exports(module: Module): { readonly name: string; readonly kind: string }[]
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    private constructor()
    readonly buffer: ArrayBuffer
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  function validate(code: Uint8Array<ArrayBuffer>): boolean
  function compile(code: Uint8Array<ArrayBuffer>): Promise<Module>
}
