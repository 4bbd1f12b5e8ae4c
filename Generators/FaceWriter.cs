using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>
/// Writes the members of a class that derives from <c>Face</c>, the describing list for the library, and what binds them. Members have the index at which
/// they stand in the list.
/// </summary>
internal sealed class FaceWriter(CodeWriter code, IReadOnlyList<MemberModel> members)
{
    private const string Generated = "global::WasmJit.Generated.";

    internal void WriteMembers()
    {
        for (int i = 0; i < members.Count; i++)
        {
            code.Line();
            MemberModel member = members[i];
            switch (member.Kind)
            {
                case MemberKind.Method when member.IsDirect: Direct(member, i); break;
                case MemberKind.Method: ThroughMemory(member, i); break;
                case MemberKind.Property: Property(member, i); break;
                case MemberKind.Event: Event(member, i); break;
            }
        }
        code.Line();
        if (IsDisposable)
        {
            code.Line("void global::System.IDisposable.Dispose() => DisposeInstance();");
            code.Line();
        }
        Bind();
        Raisers();
    }

    /// <summary>The list that the library reads in place of the type.</summary>
    internal void WriteDescriptions(string start)
    {
        code.Open(start + "new " + Generated + "FaceMember[]");
        foreach (MemberModel member in members)
        {
            string name = CodeWriter.Quoted(member.Name), given = CodeWriter.Quoted(member.Given);
            code.Line(Generated + member.Kind switch
            {
                MemberKind.Method => $"FaceMember.OfMethod({name}, {member.Type.TypeOf}, [{string.Join(", ", member.Parameters.Select(p => $"({CodeWriter.Quoted(p.Name)}, {p.Type.TypeOf})"))}], "
                    + $"{given}, {Bool(member.IsAbstract)}, {Bool(member.IsOwned)}),",
                MemberKind.Property => $"FaceMember.OfProperty({name}, typeof({member.Type.Plain}), {Bool(member.CanWrite)}, {given}),",
                _ => $"FaceMember.OfEvent({name}, typeof({member.Type.Plain}), {given}, {CodeWriter.Quoted(member.GivenModule)}),",
            });
        }
        code.Close("};");
    }

    private static string Bool(bool value) => value ? "true" : "false";

    // ---- methods ----

    /// <summary>Values as they are, to the export's own delegate.</summary>
    private void Direct(MemberModel method, int index)
    {
        code.Line($"private {method.DelegateCode} member{index} = null!;");
        code.Line();
        if (HasUntyped(method)) Untyped(method, index);
        string call = $"this.member{index}({string.Join(", ", method.Parameters.Select(p => p.Type.ToHost(p.Id)))})";
        string value = method.Type.IsVoid || method.Type.Tuple is not null ? call : method.Type.FromHost(call);
        if (method.IsAbstract)
        {
            code.Line($"{method.Head}({method.ParameterList}) => {value};");
            return;
        }
        code.Open($"{method.Head}({method.ParameterList})");
        CallDefault(method, index, $"this.member{index} is null");
        code.Line($"{(method.Type.IsVoid ? "" : "return ")}{value};");
        code.Close();
        Default(method, index);
    }

    /// <summary>Whether a call can be made without the delegate's type: the library says of other tuples that they do not fit.</summary>
    private static bool HasUntyped(MemberModel method) => method.Type.Tuple?.Contains("?") != true;

    /// <summary>
    /// What is called in place of the export's own delegate where that has another type: programs that are published native have only those delegate types for which
    /// the library has methods.
    /// </summary>
    private void Untyped(MemberModel method, int index)
    {
        TypeModel type = method.Type;
        string result = type.IsVoid ? "void" : type.Tuple is null ? type.HostCode : type.Plain;
        code.Open($"private {result} Untyped{index}({string.Join(", ", method.Parameters.Select((p, i) => $"{p.Type.HostCode} value{i}"))})");
        code.Line($"var wasmCall = new {Generated}FaceCall(this, {index});");
        code.Open("try");
        for (int i = 0; i < method.Parameters.Count; i++) code.Line($"wasmCall.Pass{(method.Parameters[i].Type.Kind == Crossing.Value ? "" : "Reference")}(value{i});");
        code.Line("wasmCall.Invoke();");
        if (type.Tuple is { } tuple) code.Line($"return ({string.Join(", ", tuple.Select((letter, i) => Read(letter, i)))});");
        else if (!type.IsVoid) code.Line($"return {Read(type.Kind == Crossing.Value ? type.Number : type.IsDelegate ? Conventions.FuncRef : Conventions.OtherRef, 0)};");
        code.CloseTry("wasmCall.End();");
        code.Close();
        code.Line();
    }

    private static string Bound(MemberModel method, int index)
    {
        if (!HasUntyped(method)) return $"({method.DelegateCode})items[{index}]!";
        string bound = $"items[{index}] as {method.DelegateCode} ?? Untyped{index}";
        return method.IsAbstract ? bound : $"items[{index}] is null ? null! : {bound}";
    }

    private void ThroughMemory(MemberModel method, int index)
    {
        if (!method.IsAbstract)
        {
            code.Line($"private bool has{index};");
            code.Line();
        }
        var typed = new TypedCallWriter(code, method, index);
        typed.WriteFields();
        code.Open($"{method.Head}({method.ParameterList})");
        if (!method.IsAbstract) CallDefault(method, index, $"!this.has{index}");
        typed.WriteCalls();
        code.Line($"var wasmCall = new {Generated}FaceCall(this, {index});");
        code.Open("try");
        string size = method.Type.Kind == Crossing.Struct ? $"global::System.Runtime.CompilerServices.Unsafe.SizeOf<{method.Type.Plain}>()" : "0";
        if (Conventions.IsInMemory(method.Type.Kind)) code.Line($"wasmCall.Room({size});");
        foreach (ParameterModel parameter in method.Parameters) code.Line(Pass(parameter) + ";");
        code.Line("wasmCall.Invoke();");
        if (!method.Type.IsVoid) code.Line($"{method.Type.Code} wasmResult = {Result(method.Type)};");
        foreach (ParameterModel span in method.Parameters.Where(p => p.Type.Kind == Crossing.Span)) code.Line($"wasmCall.CopyBack<{span.Type.Item}>(wasmPlace_{span.Name}, {span.Id});");
        code.Line("wasmCall.Done();");
        if (!method.Type.IsVoid) code.Line("return wasmResult;");
        code.CloseTry("wasmCall.End();");
        code.Close();
        if (!method.IsAbstract) Default(method, index);
    }

    private static string Pass(ParameterModel parameter) => parameter.Type.Kind switch
    {
        Crossing.Value => $"wasmCall.Pass({parameter.Type.ToHost(parameter.Id)})",
        Crossing.Text => $"wasmCall.PassText({parameter.Id})",
        Crossing.Array => $"wasmCall.PassArray<{parameter.Type.Item}>({parameter.Id})",
        Crossing.Span => $"long wasmPlace_{parameter.Name} = wasmCall.PassSpan<{parameter.Type.Item}>({parameter.Id})",
        Crossing.ReadOnlySpan => $"wasmCall.PassSpan<{parameter.Type.Item}>({parameter.Id})",
        Crossing.Struct => $"wasmCall.PassStruct<{parameter.Type.Plain}>({parameter.Id})",
        _ => $"wasmCall.PassReference({parameter.Id})",
    };

    private static string Result(TypeModel type)
    {
        if (type.Tuple is { } tuple) return $"({string.Join(", ", tuple.Select((letter, i) => Read(letter, i)))})";
        return type.Kind switch
        {
            Crossing.Value => type.FromHost(Read(type.Number, 0)),
            Crossing.Text => "wasmCall.Text()!",
            Crossing.Array => $"wasmCall.Array<{type.Item}>()",
            Crossing.Span or Crossing.ReadOnlySpan => $"wasmCall.Span<{type.Item}>()",
            Crossing.Struct => $"wasmCall.Struct<{type.Plain}>()",
            Crossing.Function => $"wasmCall.Function<{type.Plain}>()!",
            _ => $"wasmCall.Reference<{type.Plain}>()",
        };
    }

    private static string Read(char letter, int index) => letter switch
    {
        'i' => $"wasmCall.Int32({index})",
        'l' => $"wasmCall.Int64({index})",
        'f' => $"wasmCall.Single({index})",
        'd' => $"wasmCall.Double({index})",
        'v' => $"wasmCall.Vector({index})",
        'F' => $"wasmCall.Function<global::System.Delegate>({index})!",
        _ => $"wasmCall.Reference<object>({index})",
    };

    // ---- methods that the interface implements ----

    private void CallDefault(MemberModel method, int index, string isMissing)
    {
        code.Open($"if ({isMissing})");
        code.Line($"{(method.Type.IsVoid ? "" : "return ")}(({method.Interface})new Default{index}(this)).{method.Id}({string.Join(", ", method.Parameters.Select(p => p.Id))});");
        if (method.Type.IsVoid) code.Line("return;");
        code.Close();
    }

    /// <summary>A class that leaves one member as the interface implements it, and passes all others on.</summary>
    private void Default(MemberModel method, int index)
    {
        string[] interfaces = [Face!, .. members.Select(m => m.Interface!).Where(i => i != Face).Distinct()];
        code.Line();
        code.Open($"private sealed class Default{index}({FaceName} face) : {string.Join(", ", interfaces)}");
        if (IsDisposable) code.Line("void global::System.IDisposable.Dispose() => ((global::System.IDisposable)face).Dispose();");
        foreach (MemberModel other in members)
        {
            if (ReferenceEquals(other, method)) continue;
            string target = $"(({other.Interface})face).{other.Id}";
            switch (other.Kind)
            {
                case MemberKind.Method: code.Line($"{other.Head}({other.ParameterList}) => {target}({string.Join(", ", other.Parameters.Select(p => p.Id))});"); break;
                case MemberKind.Property:
                    code.Line($"{other.Head} {{ {(other.CanRead ? $"get => {target}; " : "")}{(other.CanWrite ? $"set => {target} = value; " : "")}}}");
                    break;
                default: code.Line($"{other.Head} {{ add => {target} += value; remove => {target} -= value; }}"); break;
            }
        }
        code.Close();
    }

    /// <summary>The class that is written.</summary>
    internal string FaceName { get; init; } = "";

    /// <summary>The interface that it implements; null for the class of a module.</summary>
    internal string? Face { get; init; }

    /// <summary>Whether the interface leaves it to the class to dispose of the instance.</summary>
    internal bool IsDisposable { get; init; }

    // ---- properties ----

    private void Property(MemberModel property, int index)
    {
        TypeModel type = property.Type;
        if (type.EntityKind is not null)
        {
            code.Line($"private {type.Plain} member{index} = null!;");
            code.Line();
            Accessors(property, $"member{index}", "throw new global::System.NotSupportedException()");
            return;
        }
        string member = $"member{index}";
        if (type.Kind == Crossing.Function)
        {
            code.Line($"private object {member} = null!;");
            code.Line();
            Accessors(
                property, $"{member} is global::WasmJit.Global wasmGlobal ? {type.FromHost("GetGlobal<global::System.Delegate?>(wasmGlobal)")} : ({type.Plain}){member}",
                $"SetGlobal<global::System.Delegate?>((global::WasmJit.Global){member}, value)");
            return;
        }
        code.Line($"private global::WasmJit.Global {member} = null!;");
        code.Line();
        switch (type.Kind)
        {
            case Crossing.Value: Accessors(property, type.FromHost($"GetNumber<{type.HostCode}>({member})"), $"SetNumber<{type.HostCode}>({member}, {type.ToHost("value")})"); break;
            case Crossing.Text or Crossing.Object: Accessors(property, type.FromHost($"GetGlobal<object?>({member})"), $"SetGlobal<object?>({member}, value)"); break;
            // The library says that it does not fit.
            default: Accessors(property, "throw new global::System.NotSupportedException()", "throw new global::System.NotSupportedException()"); break;
        }
    }

    private void Accessors(MemberModel property, string get, string set) =>
        code.Line($"{property.Head} {{ {(property.CanRead ? $"get => {get}; " : "")}{(property.CanWrite ? $"set => {set}; " : "")}}}");

    // ---- events ----

    private void Event(MemberModel item, int index)
    {
        code.Line($"private {item.Type.Plain}? member{index};");
        code.Line();
        code.Line($"{item.Head} {{ add => AddHandler(ref member{index}, value); remove => RemoveHandler(ref member{index}, value); }}");
        code.Line();
        new HostFunctionWriter(item.Handler!).WriteMethod(code, $"Raise{index}", arguments => $"wasmHandlers({arguments})", $"member{index} is not {{ }} wasmHandlers");
    }

    private void Raisers()
    {
        if (!members.Any(m => m.Kind == MemberKind.Event)) return;
        code.Line();
        code.Line("/// <inheritdoc/>");
        code.Open("protected override global::System.Delegate? HostFunctionOf(int member) => member switch");
        for (int i = 0; i < members.Count; i++)
            if (members[i].Kind == MemberKind.Event) code.Line($"{i} => ({new HostFunctionWriter(members[i].Handler!).DelegateCode})Raise{i},");
        code.Line("_ => null,");
        code.Close("};");
    }

    // ---- binding ----

    private void Bind()
    {
        code.Line("/// <inheritdoc/>");
        code.Open("protected override void Bind(object?[] items)");
        for (int i = 0; i < members.Count; i++)
        {
            MemberModel member = members[i];
            switch (member.Kind)
            {
                case MemberKind.Method when member.IsDirect: code.Line($"member{i} = {Bound(member, i)};"); break;
                case MemberKind.Method:
                    if (!member.IsAbstract) code.Line($"has{i} = items[{i}] is not null;");
                    new TypedCallWriter(code, member, i).WriteBinding();
                    break;
                case MemberKind.Property when member.Type.EntityKind is not null: code.Line($"member{i} = ({member.Type.Plain})items[{i}]!;"); break;
                case MemberKind.Property when member.Type.Kind == Crossing.Function: code.Line($"member{i} = items[{i}]!;"); break;
                case MemberKind.Property: code.Line($"member{i} = (global::WasmJit.Global)items[{i}]!;"); break;
            }
        }
        code.Close();
    }
}
