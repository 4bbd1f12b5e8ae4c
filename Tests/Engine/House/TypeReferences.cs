using System.Reflection;
using System.Reflection.Emit;

namespace WasmJit.Tests;

/// <summary>The types that a type names: in its declarations and in the code of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value);

    internal static HashSet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Add(found, type.BaseType);
        foreach (Type item in type.GetInterfaces()) Add(found, item);
        AddAttributes(found, type.GetCustomAttributesData());
        foreach (FieldInfo field in type.GetFields(All)) Add(found, field.FieldType);
        foreach (MethodBase method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All))) AddMethod(found, type, method);
        return found;
    }

    private static void AddMethod(HashSet<Type> found, Type type, MethodBase method)
    {
        AddAttributes(found, method.GetCustomAttributesData());
        foreach (ParameterInfo parameter in method.GetParameters()) Add(found, parameter.ParameterType);
        Add(found, (method as MethodInfo)?.ReturnType);
        if (method.GetMethodBody() is not { } body) return;
        foreach (LocalVariableInfo local in body.LocalVariables) Add(found, local.LocalType);
        foreach (ExceptionHandlingClause clause in body.ExceptionHandlingClauses)
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause) Add(found, clause.CatchType);
        Type[] typeArguments = type.IsGenericType ? type.GetGenericArguments() : [];
        Type[] methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        foreach (int token in Tokens(body.GetILAsByteArray()!))
        {
            if (method.Module.ResolveMember(token, typeArguments, methodArguments) is not { } member) continue;
            Add(found, member as Type ?? member.DeclaringType);
            switch (member)
            {
                case FieldInfo field: Add(found, field.FieldType); break;
                case MethodBase called:
                    foreach (ParameterInfo parameter in called.GetParameters()) Add(found, parameter.ParameterType);
                    Add(found, (called as MethodInfo)?.ReturnType);
                    if (called.IsGenericMethod) foreach (Type argument in called.GetGenericArguments()) Add(found, argument);
                    break;
            }
        }
    }

    private static void AddAttributes(HashSet<Type> found, IEnumerable<CustomAttributeData> attributes)
    {
        foreach (CustomAttributeData attribute in attributes) Add(found, attribute.AttributeType);
    }

    private static void Add(HashSet<Type> found, Type? type)
    {
        while (type is { HasElementType: true }) type = type.GetElementType();
        if (type is null || type.IsGenericParameter) return;
        if (type.IsGenericType)
            foreach (Type argument in type.GetGenericArguments()) Add(found, argument);
        if (type.IsFunctionPointer)
        {
            foreach (Type parameter in type.GetFunctionPointerParameterTypes()) Add(found, parameter);
            Add(found, type.GetFunctionPointerReturnType());
            return;
        }
        found.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
    }

    /// <summary>The tokens of types, fields and methods in IL.</summary>
    private static IEnumerable<int> Tokens(byte[] il)
    {
        for (int at = 0; at < il.Length;)
        {
            int value = il[at++];
            if (value == 0xfe) value = 0xfe00 | il[at++];
            OpCode code = OpCodesByValue[value];
            switch (code.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    yield return BitConverter.ToInt32(il, at);
                    at += 4;
                    break;
                case OperandType.InlineNone: break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar: at++; break;
                case OperandType.InlineVar: at += 2; break;
                case OperandType.InlineI8 or OperandType.InlineR: at += 8; break;
                case OperandType.InlineSwitch: at += 4 + (4 * BitConverter.ToInt32(il, at)); break;
                default: at += 4; break;
            }
        }
    }
}
