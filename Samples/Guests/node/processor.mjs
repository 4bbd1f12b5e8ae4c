// v86's processor without devices. Arguments: the module, then the boot sector in hexadecimal digits.
import fs from 'fs';
const [file, sector] = process.argv.slice(2);
const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1924 });
const module = new WebAssembly.Module(fs.readFileSync(file)), env = { __indirect_function_table: table };
for (const { name, kind } of WebAssembly.Module.imports(module)) if (kind === 'function') env[name] = () => 0;
let printed = '', modules = 0, pending = 0, forCode;
env.microtick = () => performance.now();
env.run_hardware_timers = () => 100;
env.io_port_write8 = (port, value) => { if (port === 0xe9) printed += String.fromCharCode(value); };
env.codegen_finalize = (slot, start, flags, address, length) => {
  pending++;
  WebAssembly.instantiate(new Uint8Array(cpu.memory.buffer, address >>> 0, length >>> 0), { e: forCode }).then(made => {
    table.set(1024 + slot, made.instance.exports.f);
    cpu.codegen_finalize_finished(slot, start, flags);
    modules++;
    pending--;
  });
};
const cpu = new WebAssembly.Instance(module, { env }).exports;
forCode = { ...cpu, m: cpu.memory };
const started = now();
cpu.rust_init();
new DataView(cpu.memory.buffer).setInt32(812, 16 << 20, true);
const ram = cpu.allocate_memory(16 << 20) >>> 0;
cpu.reset_cpu();
new Uint8Array(cpu.memory.buffer).set(Buffer.from(sector, 'hex'), ram + 0x7c00);
new Uint8Array(cpu.memory.buffer).set([0xea, 0x00, 0x7c, 0, 0], ram + 0xffff0);
const halted = () => new Uint8Array(cpu.memory.buffer)[616];
while (!halted()) {
  cpu.main_loop();
  // Modules are compiled elsewhere, and arrive between the loops.
  if (pending) await new Promise(done => setImmediate(done));
}
console.log(`${now() - started} ${printed} ${modules}`);
