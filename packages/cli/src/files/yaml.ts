// YAML, to be loaded if there is some: most commands read and print none. In a module of ours, because a bundle has the
// names of a CommonJS package, which this one is, only for those that import them by name.

export { parse, stringify } from 'yaml'
