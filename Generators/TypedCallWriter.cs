using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>
/// Writes calls of a method whose values go through memory, through the export's own delegate. The module is not known when the code is written, so its type
/// is tried when the face is bound: the one that the usual conventions make of the method (addresses of 32 bits, texts with their lengths). The address of a result in memory is
/// returned or the first parameter.
/// </summary>
internal sealed class TypedCallWriter(CodeWriter code, MemberModel method, int index)
{
    /// <summary>How many parameters .NET's own delegates have.</summary>
    private const int MostParameters = 16;

    private TypeModel Type => method.Type;

    private bool IsInMemory => Type.Tuple is null && Conventions.IsInMemory(Type.Kind);

    /// <summary>The ways in which the result may come: whether the first parameter is where it goes.</summary>
    private IEnumerable<bool> Forms => (2 * method.Parameters.Count) + 1 > MostParameters ? [] : IsInMemory ? [false, true] : [false];

    private string Field(bool throughPointer) => (throughPointer ? "roomed" : "typed") + index;

    /// <summary>The local that has the delegate.</summary>
    private static string Function(bool throughPointer) => throughPointer ? "wasmRoomed" : "wasmTyped";

    private string DelegateOf(bool throughPointer)
    {
        List<string> parameters = throughPointer ? ["int"] : [];
        foreach (ParameterModel parameter in method.Parameters)
        {
            parameters.Add(Conventions.IsInMemory(parameter.Type.Kind) ? "int" : parameter.Type.HostCode);
            if (HasLength(parameter)) parameters.Add("int");
        }
        string? result = throughPointer || Type.IsVoid ? null : Type.Tuple is not null ? Type.Plain : !IsInMemory ? Type.HostCode : Type.Kind == Crossing.Struct ? "int" : "(int, int)";
        return MemberModel.DelegateOf(parameters, result);
    }

    private static bool HasLength(ParameterModel parameter) =>
        Conventions.IsInMemory(parameter.Type.Kind) && Conventions.HasLength(parameter.Type.Kind, TextForm.PointerAndLength);

    internal void WriteFields()
    {
        foreach (bool form in Forms)
        {
            code.Line($"private {DelegateOf(form)}? {Field(form)};");
            code.Line();
        }
    }

    internal void WriteBinding()
    {
        foreach (bool form in Forms) code.Line($"{Field(form)} = items[{index}] as {DelegateOf(form)};");
    }

    /// <summary>The calls, each of which returns.</summary>
    internal void WriteCalls()
    {
        foreach (bool form in Forms)
        {
            code.Open($"if (this.{Field(form)} is {{ }} {Function(form)})");
            code.Line("var wasmArguments = new global::WasmJit.Generated.FaceArguments(this);");
            code.Open("try");
            WriteCall(form);
            code.CloseTry("wasmArguments.End();");
            if (Type.IsVoid) code.Line("return;");
            code.Close();
        }
    }

    private void WriteCall(bool throughPointer)
    {
        List<string> arguments = [];
        if (throughPointer)
        {
            code.Line($"int wasmRoom = wasmArguments.Room({(Type.Kind == Crossing.Struct ? $"global::System.Runtime.CompilerServices.Unsafe.SizeOf<{Type.Plain}>()" : "8")});");
            arguments.Add("wasmRoom");
        }
        foreach (ParameterModel parameter in method.Parameters)
        {
            if (!Conventions.IsInMemory(parameter.Type.Kind))
            {
                arguments.Add(parameter.Type.ToHost(parameter.Id));
                continue;
            }
            string at = $"wasmAt_{parameter.Name}", length = $"wasmLength_{parameter.Name}";
            code.Line($"int {at} = wasmArguments." + parameter.Type.Kind switch
            {
                Crossing.Text => $"Text({parameter.Id}, out int {length});",
                Crossing.Array => $"Array<{parameter.Type.Item}>({parameter.Id}, out int {length});",
                Crossing.Struct => $"Struct<{parameter.Type.Plain}>({parameter.Id});",
                _ => $"Span<{parameter.Type.Item}>({parameter.Id}, out int {length});",
            });
            arguments.Add(at);
            if (HasLength(parameter)) arguments.Add(length);
        }
        string call = $"{Function(throughPointer)}({string.Join(", ", arguments)})";
        if (throughPointer || Type.IsVoid) code.Line($"{call};");
        if (!Type.IsVoid) code.Line($"{Type.Code} wasmResult = {Result(call, throughPointer)};");
        foreach (ParameterModel span in method.Parameters.Where(p => p.Type.Kind == Crossing.Span)) code.Line($"wasmArguments.CopyBack<{span.Type.Item}>(wasmAt_{span.Name}, {span.Id});");
        code.Line("wasmArguments.Done();");
        if (!Type.IsVoid) code.Line("return wasmResult;");
    }

    private string Result(string call, bool throughPointer)
    {
        if (Type.Tuple is not null) return call;
        if (!IsInMemory) return Type.FromHost(call);
        // Room for a struct is given back with the arguments.
        string place = !throughPointer ? call : Type.Kind == Crossing.Struct ? "wasmRoom" : "wasmArguments.PlaceIn(wasmRoom)";
        string isOwned = method.IsOwned && !(throughPointer && Type.Kind == Crossing.Struct) ? "true" : "false";
        return Type.Kind switch
        {
            Crossing.Text => $"wasmArguments.TextOf({place}, {isOwned})!",
            Crossing.Array => $"wasmArguments.ArrayOf<{Type.Item}>({place}, {isOwned})",
            Crossing.Struct => $"wasmArguments.StructOf<{Type.Plain}>({place}, {isOwned})",
            _ => $"wasmArguments.SpanOf<{Type.Item}>({place}, {isOwned})",
        };
    }
}
