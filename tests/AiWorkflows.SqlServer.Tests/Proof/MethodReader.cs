using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Follows the strings of one method over the evaluation stack, locals, fields and arrays to the calls that take them.</summary>
internal sealed class MethodReader(MetadataReader metadata)
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(f => f.GetValue(null)).OfType<OpCode>().ToDictionary(o => o.Value & 0xffff);

    /// <summary>Methods that make other text of their arguments.</summary>
    private static readonly HashSet<string> Joining = ["Concat", "Format", "Join", "AppendLiteral", "AppendFormatted", "Append", "AppendLine", "Insert", "Replace"];

    private readonly List<string> _texts = [];
    private readonly HashSet<int> _joined = [];
    private readonly Dictionary<int, Value> _stored = [];
    private readonly Dictionary<int, List<Value>> _stackAt = [];
    private List<Value> _stack = [];

    /// <summary>The strings that the method loads, with whether they become part of longer ones.</summary>
    public IReadOnlyList<(string Text, bool IsJoined)> Read(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            if (_stackAt.TryGetValue(at, out var arriving))
                Merge(arriving);
            var op = OpCodesByValue[code[at] == 0xfe ? 0xfe00 | code[at + 1] : code[at]];
            var operand = at + op.Size;
            at = operand + OperandSize(op, code, operand);
            Step(op, code, operand, at);
        }
        return [.. _texts.Select((t, i) => (t, _joined.Contains(i)))];
    }

    private void Step(OpCode op, byte[] code, int operand, int next)
    {
        int Token() => BitConverter.ToInt32(code, operand);
        if (op == OpCodes.Ldstr)
        {
            _texts.Add(metadata.GetUserString((UserStringHandle)MetadataTokens.Handle(Token())));
            _stack.Add(new Value { Texts = { _texts.Count - 1 } });
        }
        else if (op == OpCodes.Dup)
            _stack.Add(Peek());
        else if (op == OpCodes.Stelem_Ref)
        {
            var element = Pop();
            Pop();
            Pop().Texts.UnionWith(element.Texts);
        }
        else if (StoredLocal(op, code, operand) is { } stored)
            _stored[stored] = Pop();
        else if (LoadedLocal(op, code, operand) is { } loaded)
            _stack.Add(_stored.GetValueOrDefault(loaded) ?? new Value());
        else if (op == OpCodes.Stfld || op == OpCodes.Stsfld)
        {
            _stored[Token()] = Pop();
            if (op == OpCodes.Stfld)
                Pop();
        }
        else if (op == OpCodes.Ldfld || op == OpCodes.Ldsfld)
        {
            if (op == OpCodes.Ldfld)
                Pop();
            _stack.Add(_stored.GetValueOrDefault(Token()) ?? new Value());
        }
        else if (op == OpCodes.Call || op == OpCodes.Callvirt || op == OpCodes.Newobj)
            Call(Token(), op == OpCodes.Newobj);
        else
        {
            Pop(Pops(op));
            for (var i = Pushes(op); i > 0; i--)
                _stack.Add(new Value());
            Branch(op, code, operand, next);
        }
    }

    private void Call(int token, bool creates)
    {
        var (name, parameters, hasThis, returns) = Signature(MetadataTokens.EntityHandle(token));
        var arguments = Pop(parameters + (hasThis && !creates ? 1 : 0));
        if (Joining.Contains(name))
            foreach (var argument in arguments)
                _joined.UnionWith(argument.Texts);
        if (returns || creates)
            _stack.Add(new Value());
    }

    private void Branch(OpCode op, byte[] code, int operand, int next)
    {
        if (op.OperandType is OperandType.ShortInlineBrTarget or OperandType.InlineBrTarget)
        {
            var target = next + (op.OperandType == OperandType.ShortInlineBrTarget ? (sbyte)code[operand] : BitConverter.ToInt32(code, operand));
            if (_stackAt.TryGetValue(target, out var there))
                for (var i = 0; i < Math.Min(there.Count, _stack.Count); i++)
                    there[i] = there[i].With(_stack[i]);
            else
                _stackAt[target] = [.. _stack];
        }
        if (op.FlowControl is FlowControl.Branch or FlowControl.Return or FlowControl.Throw)
            _stack = [];
    }

    private void Merge(List<Value> arriving)
    {
        if (_stack.Count != arriving.Count)
            _stack = [.. arriving];
        else
            for (var i = 0; i < _stack.Count; i++)
                _stack[i] = _stack[i].With(arriving[i]);
    }

    private Value Peek() => _stack.Count > 0 ? _stack[^1] : new Value();

    private Value Pop() => Pop(1)[0];

    private Value[] Pop(int count)
    {
        var popped = new Value[count];
        for (var i = count - 1; i >= 0; i--)
        {
            popped[i] = Peek();
            if (_stack.Count > 0)
                _stack.RemoveAt(_stack.Count - 1);
        }
        return popped;
    }

    private (string Name, int Parameters, bool HasThis, bool Returns) Signature(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodSpecification:
                return Signature(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return Decode(metadata.GetString(method.Name), metadata.GetBlobReader(method.Signature));
            default:
                var reference = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return Decode(metadata.GetString(reference.Name), metadata.GetBlobReader(reference.Signature));
        }
    }

    private static (string, int, bool, bool) Decode(string name, BlobReader blob)
    {
        var header = blob.ReadSignatureHeader();
        if (header.IsGeneric)
            blob.ReadCompressedInteger();
        var parameters = blob.ReadCompressedInteger();
        var result = blob.ReadSignatureTypeCode();
        while (result is SignatureTypeCode.RequiredModifier or SignatureTypeCode.OptionalModifier)
        {
            blob.ReadTypeHandle();
            result = blob.ReadSignatureTypeCode();
        }
        return (name, parameters, header.IsInstance, result != SignatureTypeCode.Void);
    }

    private static int? StoredLocal(OpCode op, byte[] code, int operand) => op.Name switch
    {
        "stloc.0" or "stloc.1" or "stloc.2" or "stloc.3" => op.Name[^1] - '0',
        "stloc.s" => code[operand],
        "stloc" => BitConverter.ToUInt16(code, operand),
        _ => null,
    };

    private static int? LoadedLocal(OpCode op, byte[] code, int operand) => op.Name switch
    {
        "ldloc.0" or "ldloc.1" or "ldloc.2" or "ldloc.3" => op.Name[^1] - '0',
        "ldloc.s" => code[operand],
        "ldloc" => BitConverter.ToUInt16(code, operand),
        _ => null,
    };

    private static int Pops(OpCode op) => op.StackBehaviourPop switch
    {
        StackBehaviour.Pop0 => 0,
        StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
        StackBehaviour.Varpop => 0,
        StackBehaviour.Popi_popi_popi or StackBehaviour.Popref_popi_popi or StackBehaviour.Popref_popi_popi8 or StackBehaviour.Popref_popi_popr4
            or StackBehaviour.Popref_popi_popr8 or StackBehaviour.Popref_popi_popref or StackBehaviour.Popref_popi_pop1 => 3,
        _ => 2,
    };

    private static int Pushes(OpCode op) => op.StackBehaviourPush switch
    {
        StackBehaviour.Push0 or StackBehaviour.Varpush => 0,
        StackBehaviour.Push1_push1 => 2,
        _ => 1,
    };

    private static int OperandSize(OpCode op, byte[] code, int operand) => op.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, operand),
        _ => 4,
    };

    /// <summary>What is known of a value: the strings that it may be or contain.</summary>
    private sealed class Value
    {
        public HashSet<int> Texts { get; } = [];

        public Value With(Value other)
        {
            if (other.Texts.Count == 0)
                return this;
            var both = new Value();
            both.Texts.UnionWith(Texts);
            both.Texts.UnionWith(other.Texts);
            return both;
        }
    }
}
