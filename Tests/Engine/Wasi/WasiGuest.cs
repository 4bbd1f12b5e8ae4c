using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text;
using WasmJit.Wasi;

namespace WasmJit.Tests;

/// <summary>A guest that exports the functions of a <see cref="WasiHost"/> which it imports, and a page of memory.</summary>
internal sealed class WasiGuest
{
    /// <summary>Every function with its type, as preview 1 declares it.</summary>
    internal static readonly (string Name, string Type)[] Functions =
    [
        ("args_get", "(param i32 i32) (result i32)"),
        ("args_sizes_get", "(param i32 i32) (result i32)"),
        ("environ_get", "(param i32 i32) (result i32)"),
        ("environ_sizes_get", "(param i32 i32) (result i32)"),
        ("clock_res_get", "(param i32 i32) (result i32)"),
        ("clock_time_get", "(param i32 i64 i32) (result i32)"),
        ("fd_advise", "(param i32 i64 i64 i32) (result i32)"),
        ("fd_allocate", "(param i32 i64 i64) (result i32)"),
        ("fd_close", "(param i32) (result i32)"),
        ("fd_datasync", "(param i32) (result i32)"),
        ("fd_fdstat_get", "(param i32 i32) (result i32)"),
        ("fd_fdstat_set_flags", "(param i32 i32) (result i32)"),
        ("fd_fdstat_set_rights", "(param i32 i64 i64) (result i32)"),
        ("fd_filestat_get", "(param i32 i32) (result i32)"),
        ("fd_filestat_set_size", "(param i32 i64) (result i32)"),
        ("fd_filestat_set_times", "(param i32 i64 i64 i32) (result i32)"),
        ("fd_pread", "(param i32 i32 i32 i64 i32) (result i32)"),
        ("fd_prestat_get", "(param i32 i32) (result i32)"),
        ("fd_prestat_dir_name", "(param i32 i32 i32) (result i32)"),
        ("fd_pwrite", "(param i32 i32 i32 i64 i32) (result i32)"),
        ("fd_read", "(param i32 i32 i32 i32) (result i32)"),
        ("fd_readdir", "(param i32 i32 i32 i64 i32) (result i32)"),
        ("fd_renumber", "(param i32 i32) (result i32)"),
        ("fd_seek", "(param i32 i64 i32 i32) (result i32)"),
        ("fd_sync", "(param i32) (result i32)"),
        ("fd_tell", "(param i32 i32) (result i32)"),
        ("fd_write", "(param i32 i32 i32 i32) (result i32)"),
        ("path_create_directory", "(param i32 i32 i32) (result i32)"),
        ("path_filestat_get", "(param i32 i32 i32 i32 i32) (result i32)"),
        ("path_filestat_set_times", "(param i32 i32 i32 i32 i64 i64 i32) (result i32)"),
        ("path_link", "(param i32 i32 i32 i32 i32 i32 i32) (result i32)"),
        ("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)"),
        ("path_readlink", "(param i32 i32 i32 i32 i32 i32) (result i32)"),
        ("path_remove_directory", "(param i32 i32 i32) (result i32)"),
        ("path_rename", "(param i32 i32 i32 i32 i32 i32) (result i32)"),
        ("path_symlink", "(param i32 i32 i32 i32 i32) (result i32)"),
        ("path_unlink_file", "(param i32 i32 i32) (result i32)"),
        ("poll_oneoff", "(param i32 i32 i32 i32) (result i32)"),
        ("proc_exit", "(param i32)"),
        ("proc_raise", "(param i32) (result i32)"),
        ("sched_yield", "(result i32)"),
        ("random_get", "(param i32 i32) (result i32)"),
        ("sock_accept", "(param i32 i32 i32) (result i32)"),
        ("sock_recv", "(param i32 i32 i32 i32 i32 i32) (result i32)"),
        ("sock_send", "(param i32 i32 i32 i32 i32) (result i32)"),
        ("sock_shutdown", "(param i32 i32) (result i32)"),
    ];

    private static readonly ConcurrentDictionary<string, Module> Modules = [];

    private readonly Instance instance;

    /// <summary>Standard streams that have nothing and keep nothing.</summary>
    internal static WasiOptions Quiet => new() { Input = Stream.Null, Output = Stream.Null, Error = Stream.Null };

    internal WasiGuest(WasiOptions? options = null, string module = "wasi_snapshot_preview1", bool portable = false)
    {
        WasiHost host = Host = new WasiHost(options ?? Quiet, portable);
        instance = Modules.GetOrAdd(module, Compile).Instantiate(host.Imports);
        host.Attach(instance);
        Memory = instance.GetExport<Memory>("memory");
    }

    private static Module Compile(string module)
    {
        var text = new StringBuilder("(module");
        // The old version had no sock_accept.
        foreach ((string name, string type) in Functions.Where(f => module != "wasi_unstable" || f.Name != "sock_accept"))
            text.Append($"(func (export \"{name}\") (import \"{module}\" \"{name}\") {type})");
        return new Engine().CompileText(text.Append("(memory (export \"memory\") 1))").ToString());
    }

    /// <summary>Where <see cref="Invoke"/> puts the texts among its arguments.</summary>
    internal const int Texts = 40_000;

    internal WasiHost Host { get; }

    internal Memory Memory { get; }

    /// <summary>Calls a function; a text or bytes among the arguments stand for an address and a length.</summary>
    internal Errno Invoke(string name, params object[] arguments)
    {
        var values = new List<object>();
        int text = Texts;
        foreach (object argument in arguments)
        {
            if (argument is not (string or byte[]))
            {
                values.Add(argument);
                continue;
            }
            byte[] bytes = argument as byte[] ?? Encoding.UTF8.GetBytes((string)argument);
            Memory.WriteBytes((ulong)text, bytes);
            values.Add(text);
            values.Add(bytes.Length);
            text += bytes.Length;
        }
        try
        {
            return (Errno)(int)instance.GetExport<Delegate>(name).DynamicInvoke([.. values])!;
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }

    /// <summary>A function with two parameters, the commonest type.</summary>
    internal int Call(string name, int a, int b) => instance.GetExport<Func<int, int, int>>(name)(a, b);

    internal T Get<T>(string name)
        where T : Delegate => instance.GetExport<T>(name);

    /// <summary>Writes a scatter/gather list.</summary>
    internal void WriteList(int address, params (int Address, int Length)[] buffers)
    {
        foreach ((int start, int length) in buffers)
        {
            Memory.Write((ulong)address, start);
            Memory.Write((ulong)address + 4, length);
            address += 8;
        }
    }
}
