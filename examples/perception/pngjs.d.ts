// The part of pngjs that is used here; the package has no declarations of its own.
declare module 'pngjs' {
  export class PNG {
    constructor(size: { readonly width: number; readonly height: number })
    readonly width: number
    readonly height: number
    /** RGBA. */
    readonly data: Buffer
    static readonly sync: {
      read(file: Uint8Array): PNG
      write(png: PNG): Buffer
    }
  }
}
