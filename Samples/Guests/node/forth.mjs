// WAForth with its own way of loading words. Arguments: the module, then a number of words, then the limit of the sieve, then the sieve's text.
import fs from 'fs';
const [file, words, limit, sieve] = process.argv.slice(2);
let input = Buffer.alloc(0), core;
const memory = () => core.exports.memory.buffer;
const instance = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(file)), {
  shell: {
    emit() {}, key: () => 0, random: () => 4, call() {},
    read(address, room) {
      const line = input.indexOf(10) + 1, length = Math.min(room, line > 0 ? line : input.length);
      new Uint8Array(memory(), address, length).set(input.subarray(0, length));
      input = input.subarray(length);
      return length;
    },
    load(address, length) {
      new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(memory(), address, length)), { env: { table: core.exports.table, memory: core.exports.memory } });
    },
  },
});
core = instance;
function run(text) {
  input = Buffer.from(text + '\n');
  const start = now();
  core.exports.run(1);
  return now() - start;
}
const lines = [];
for (let i = 0; i < +words; i++) lines.push(`: w${i} ${i} + ;`);
const made = run(lines.join('\n'));
run(sieve);
console.log(`${made} ${run(`${limit} sieve`)}`);
