using System.Text;
using WasmJit.Builtins;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The built-in module wasm:linking for guests whose memory has addresses of 64 bits.</summary>
public sealed class WideLinkingBuiltinTests
{
    private const string Guest = """
        (module
          (import "wasm:linking" "compile" (func $compile (param i64 i64) (result i32)))
          (import "wasm:linking" "load" (func $load (param i64 i64) (result i32)))
          (import "wasm:linking" "instantiate" (func $instantiate (param i32 i64 i64) (result i32)))
          (import "wasm:linking" "get_export" (func $get_export (param i32 i64 i64 i32) (result i32)))
          (import "wasm:linking" "get_export_handle" (func $get_export_handle (param i32 i64 i64) (result i32)))
          (import "wasm:linking" "imports" (func $imports (param i32 i64 i64) (result i32)))
          (import "wasm:linking" "read_memory" (func $read_memory (param i32 i64 i64 i64) (result i32)))
          (import "wasm:linking" "write_memory" (func $write_memory (param i32 i64 i64 i64) (result i32)))
          (import "wasm:linking" "new_global" (func $new_global (param i32 i32 i64) (result i32)))
          (import "wasm:linking" "last_error" (func $last_error (param i64 i64) (result i32)))
          (import "wasm:linking" "self" (func $self (result i32)))
          (memory (export "memory") i64 2)
          (table (export "table") i64 1 10 funcref)
          (func (export "compile") (param i64 i64) (result i32) (call $compile (local.get 0) (local.get 1)))
          (func (export "load") (param i64 i64) (result i32) (call $load (local.get 0) (local.get 1)))
          (func (export "instantiate") (param i32 i64 i64) (result i32) (call $instantiate (local.get 0) (local.get 1) (local.get 2)))
          (func (export "get_export") (param i32 i64 i64 i32) (result i32) (call $get_export (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
          (func (export "get_export_handle") (param i32 i64 i64) (result i32) (call $get_export_handle (local.get 0) (local.get 1) (local.get 2)))
          (func (export "imports") (param i32 i64 i64) (result i32) (call $imports (local.get 0) (local.get 1) (local.get 2)))
          (func (export "read_memory") (param i32 i64 i64 i64) (result i32) (call $read_memory (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
          (func (export "write_memory") (param i32 i64 i64 i64) (result i32) (call $write_memory (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
          (func (export "new_global") (param i32 i32 i64) (result i32) (call $new_global (local.get 0) (local.get 1) (local.get 2)))
          (func (export "last_error") (param i64 i64) (result i32) (call $last_error (local.get 0) (local.get 1)))
          (func (export "self") (result i32) (call $self))
          (func (export "call") (param i64 i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get 0))))
        """;

    private static readonly byte[] Module = Wat.ToBinary("""
        (module (import "env" "memory" (memory i64 1)) (import "env" "add" (global $add i64)) (import "env" "all" (func $all (result i32)))
          (func (export "f") (param i32) (result i32)
            (i32.add (i32.add (local.get 0) (i32.wrap_i64 (global.get $add))) (i32.load8_u (i64.const 8)))))
        """);

    private static Instance Start(LinkingHost host) => new Engine().CompileText(Guest).Instantiate(host.Imports);

    [Fact]
    public void AGuestOf64BitsCompilesLinksAndCalls()
    {
        var host = new LinkingHost(new LinkingOptions
        {
            AllowCompile = true,
            Offered = new Imports { { "env", "all", () => 3 } },
        });
        Instance guest = Start(host);
        Memory memory = guest.GetExport<Memory>("memory");
        memory.WriteBytes(1024, Module);
        int module = guest.GetExport<Func<long, long, int>>("compile")(1024, Module.Length);
        Assert.True(module > 0, host.LastError);
        int length = guest.GetExport<Func<int, long, long, int>>("imports")(module, 8192, 4096);
        Assert.Equal("(import \"env\" \"memory\" (memory i64 1))\n(import \"env\" \"add\" (global i64))\n(import \"env\" \"all\" (func (result i32)))\n", memory.ReadString(8192, length));

        // Two imports: the guest's memory, and a global.
        memory.WriteString(100, "envmemoryaddf");
        memory.Write(8, (byte)5);
        memory.Write(16, 30L);
        int self = guest.GetExport<Func<int>>("self")();
        int own = guest.GetExport<Func<int, long, long, int>>("get_export_handle")(self, 103, 6);
        int global = guest.GetExport<Func<int, int, long, int>>("new_global")(0x7e, 0, 16);
        Put(200, 103, 6, own);
        Put(240, 109, 3, global);
        int instance = guest.GetExport<Func<int, long, long, int>>("instantiate")(module, 200, 2);
        Assert.True(instance > 0, host.LastError);
        int slot = guest.GetExport<Func<int, long, long, int, int>>("get_export")(instance, 112, 1, -1);
        Assert.Equal(42, guest.GetExport<Func<long, int, int>>("call")(slot, 7));

        memory.WriteString(300, "abcd");
        Assert.Equal(4, guest.GetExport<Func<int, long, long, long, int>>("write_memory")(own, 400, 300, 4));
        Assert.Equal(3, guest.GetExport<Func<int, long, long, long, int>>("read_memory")(own, 401, 500, 3));
        Assert.Equal(("abcd", "bcd"), (memory.ReadString(400, 4), memory.ReadString(500, 3)));

        void Put(ulong at, long name, long nameLength, int handle)
        {
            long[] words = [100, 3, name, nameLength];
            for (int i = 0; i < words.Length; i++) memory.Write(at + (8 * (ulong)i), words[i]);
            memory.Write(at + 32, handle);
        }
    }

    /// <summary>Nothing is cut to 32 bits on the way.</summary>
    [Fact]
    public void AddressesBeyond32BitsAreOutOfBounds()
    {
        var host = new LinkingHost(new LinkingOptions { AllowCompile = true, Namespace = new MemoryNamespace { { "m.wasm", Module } } });
        Instance guest = Start(host);
        Memory memory = guest.GetExport<Memory>("memory");
        memory.WriteBytes(0, Module);
        var compile = guest.GetExport<Func<long, long, int>>("compile");
        foreach ((long address, long length) in new[] { (1L << 32, Module.Length), (0L, (1L << 32) + Module.Length), (-1L, 1L), (0L, -1L), (long.MinValue, 8L) })
            Assert.Equal((int)LinkingError.OutOfBounds, compile(address, length));
        memory.WriteString(4096, "m.wasm");
        Assert.True(guest.GetExport<Func<long, long, int>>("load")(4096, 6) > 0);
        Assert.Equal((int)LinkingError.InvalidArgument, guest.GetExport<Func<long, long, int>>("load")(4096, (1L << 32) + 6));
        int module = compile(0, Module.Length);
        var instantiate = guest.GetExport<Func<int, long, long, int>>("instantiate");
        Assert.Equal((int)LinkingError.OutOfBounds, instantiate(module, 1L << 32, 1));
        Assert.Equal((int)LinkingError.InvalidArgument, instantiate(module, 200, 1L << 32));
        Assert.Equal((int)LinkingError.Unlinkable, instantiate(module, 200, 0));
        int length32 = guest.GetExport<Func<long, long, int>>("last_error")(6000, 1000);
        Assert.StartsWith("unlinkable module: unknown import", memory.ReadString(6000, length32), StringComparison.Ordinal);
    }

    /// <summary>One with a memory of 32 bits that imports the wide forms gets them, and its addresses are checked all the same.</summary>
    [Fact]
    public void TheFormGoesByTheImport()
    {
        var host = new LinkingHost(new LinkingOptions { AllowCompile = true });
        Instance guest = new Engine().CompileText("""
            (module
              (import "wasm:linking" "compile" (func $wide (param i64 i64) (result i32)))
              (import "wasm:linking" "compile" (func $narrow (param i32 i32) (result i32)))
              (memory (export "memory") 1)
              (func (export "wide") (param i64 i64) (result i32) (call $wide (local.get 0) (local.get 1)))
              (func (export "narrow") (param i32 i32) (result i32) (call $narrow (local.get 0) (local.get 1))))
            """).Instantiate(host.Imports);
        byte[] module = Wat.ToBinary("(module)");
        guest.GetExport<Memory>("memory").WriteBytes(0, module);
        Assert.True(guest.GetExport<Func<long, long, int>>("wide")(0, module.Length) > 0);
        Assert.True(guest.GetExport<Func<int, int, int>>("narrow")(0, module.Length) > 0);
        Assert.Equal((int)LinkingError.OutOfBounds, guest.GetExport<Func<long, long, int>>("wide")(1L << 32, module.Length));
        Assert.Equal((int)LinkingError.OutOfBounds, guest.GetExport<Func<int, int, int>>("narrow")(-1, module.Length));
        Assert.Throws<LinkException>(() => new Engine().CompileText("""(module (import "wasm:linking" "compile" (func (param i64 i32) (result i32))))""").Instantiate(host.Imports));
        Assert.Throws<LinkException>(() => new Engine().CompileText("""(module (import "wasm:linking" "compile" (func (param i64 i64) (result i64))))""").Instantiate(host.Imports));
        Assert.Equal(Encoding.UTF8.GetByteCount(host.LastError!), host.LastError!.Length);
    }
}
