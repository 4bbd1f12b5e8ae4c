export function greet(name) { return `hello, ${name}`; }
export function sum(items) { return items.reduce((a, b) => a + b, 0); }
