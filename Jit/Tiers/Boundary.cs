using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>Gives the runtime what it cannot know: how delegates and function references are made of each other.</summary>
internal static class Boundary
{
#pragma warning disable CA2255 // The initialiser belongs to the library: the runtime below cannot name this assembly.
    [ModuleInitializer]
    internal static void Connect()
    {
        FuncRef.DelegateFactory = static func => EntryThunk.MakeDelegate(func);
        SlotCalls.HostFactory = ValueHost.Of;
        HostValues.HostFuncFactory = static (host, wanted) => HostAdapter.MakeFunc(host, wanted ?? HostAdapter.TypeOf(host));
    }
#pragma warning restore CA2255
}
