// clang and wasm-ld with their own host, which has the files as objects of JavaScript. Arguments: the package's folder, then the folder with the sources.
import fs from 'fs';
const [folder, sources] = process.argv.slice(2);
const { runLLVM } = await import(`${folder}/gen/bundle.js`);
const options = { stdout: null, stderr: null, decodeASCII: false, fetchProgress() {} };
let last = now();
function passed() {
  const before = last;
  last = now();
  return last - before;
}
await runLLVM(null, {}, options);
const loaded = passed();
let files = { work: {} };
for (const name of ['program', 'plugin']) files.work[`${name}.c`] = fs.readFileSync(`${sources}/${name}.c`);
for (const name of ['program', 'plugin'])
  files = await runLLVM(['clang', '--target=wasm32-wasip1', '-O2', '-fPIC', '-fvisibility=default', '-c', `/work/${name}.c`, '-o', `/work/${name}.o`], files, options);
const compiled = passed();
const libraries = '/usr/lib/wasm32-wasip1';
files = await runLLVM(['wasm-ld', '-shared', '--unresolved-symbols=import-dynamic', '--strip-debug', '/work/plugin.o', '-o', '/work/plugin.so'], files, options);
files = await runLLVM([
  'wasm-ld', '--export-table', '--growable-table', '--export-dynamic', '--export=__stack_pointer', '--export=malloc', '--export=free',
  '--unresolved-symbols=import-dynamic', '--strip-debug', `${libraries}/crt1.o`, '/work/program.o', `-L${libraries}`, '-lc',
  '/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a', '-o', '/work/program.wasm'], files, options);
console.log(`${loaded} ${compiled} ${passed()} ${files.work['program.wasm'].length}`);
